use super::*;

fn read(text: &str) -> Result<Stack, TemplateError> {
    read_with(text, &[])
}

fn read_with(text: &str, parameters: &[(&str, &str)]) -> Result<Stack, TemplateError> {
    let parameters = parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let suggestions = BTreeMap::from([("Many".to_owned(), "4".to_owned()), ("Nowhere".to_owned(), "x".to_owned())]);
    let function_urls = [("Door", "http://127.0.0.1:4000/")].map(|(id, url)| (id.to_owned(), url.to_owned())).into();
    Stack::read(text, &Settings { base_url: "http://127.0.0.1:3000".into(), function_urls, parameters, suggestions })
}

const SMALL: &str = r#"
Parameters:
  Where: { Type: String, Default: "" }
  Many: { Type: Number, Default: 4 }
Conditions:
  Somewhere: !Not [!Equals [!Ref Where, ""]]
Globals:
  Function:
    MemorySize: 256
    Environment: { Variables: { SHARED: !Ref Table, KEY: !Ref Key } }
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
      TimeToLiveSpecification: { AttributeName: ttl, Enabled: true }
  Key:
    Type: AWS::SecretsManager::Secret
    Properties: { GenerateSecretString: { PasswordLength: 20, ExcludePunctuation: true } }
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: HTTP } }
  Into: { Type: AWS::ApiGatewayV2::Integration, Properties: { IntegrationUri: !GetAtt Work.Arn, PayloadFormatVersion: "2.0" } }
  Way: { Type: AWS::ApiGatewayV2::Route, Properties: { ApiId: !Ref Api, RouteKey: $default, Target: !Sub "integrations/${Into}" } }
  May:
    Type: AWS::Lambda::Permission
    Properties: { FunctionName: !Ref Work, Principal: apigateway.amazonaws.com }
  Jobs:
    Type: AWS::SQS::Queue
    Properties: { VisibilityTimeout: 60, RedrivePolicy: { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3 } }
  Dead: { Type: AWS::SQS::Queue }
  Pictures: { Type: AWS::S3::Bucket }
  Work:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: work } }
    Properties:
      Timeout: 10
      LoggingConfig: { ApplicationLogLevel: DEBUG }
      Environment:
        Variables:
          URL: !If [Somewhere, !Ref Where, !GetAtt Api.ApiEndpoint]
          QUEUE: !Ref Jobs
          BUCKET: !Ref Pictures
          OPTIONAL: !If [Somewhere, !Ref Where, !Ref "AWS::NoValue"]
      Policies:
        - Statement: [{ Effect: Allow, Action: [sqs:SendMessage], Resource: !GetAtt Jobs.Arn }]
      Events:
        Queue:
          Type: SQS
          Properties:
            Queue: !GetAtt Jobs.Arn
            FunctionResponseTypes: [ReportBatchItemFailures]
            ScalingConfig: { MaximumConcurrency: !Ref Many }
"#;

#[test]
fn a_stack_is_what_its_template_says() {
    let stack = read(SMALL).expect("a stack");
    let work = &stack.functions["work"];
    assert_eq!((work.timeout.as_secs(), work.memory_mb, work.log_level.as_str()), (10, 256, "DEBUG"));
    let expected = [
        ("BUCKET", "pictures"),
        ("KEY", "arn:aws:secretsmanager:us-east-1:123456789012:secret:Key-local0"),
        ("QUEUE", "http://127.0.0.1:3000/_aws/123456789012/Jobs"),
        ("SHARED", "Table"),
        ("URL", "http://127.0.0.1:3000"),
    ];
    assert_eq!(work.environment, expected.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    assert!(work.policy.allows("sqs:SendMessage", &queue_arn("Jobs")));
    assert_eq!(stack.secrets["Key"].length, 20);
    assert!(stack.secrets["Key"].alphabet.chars().all(char::is_alphanumeric));
    assert_eq!(stack.tables[0].ttl_attribute.as_deref(), Some("ttl"));
    assert_eq!(stack.buckets, ["pictures"]);
    assert_eq!(stack.routes, [Route { key: "$default".into(), function: "work".into() }]);
    let redrive = Redrive { dead_letter_queue: "Dead".into(), max_receive_count: 3 };
    assert_eq!(stack.queues["Jobs"].redrive, Some(redrive));
    assert!(stack.is_dead_letter_queue("Dead") && !stack.is_dead_letter_queue("Jobs"));
    assert_eq!(
        stack.event_sources,
        [EventSource {
            function: "work".into(),
            queue: "Jobs".into(),
            batch_size: 10,
            window: Duration::ZERO,
            maximum_concurrency: Some(4),
            report_batch_item_failures: true,
        }]
    );
}

#[test]
fn parameters_take_the_place_of_their_defaults() {
    let stack = read_with(SMALL, &[("Where", "https://here"), ("Many", "7")]).expect("a stack");
    let environment = stack.functions["work"].environment.clone();
    assert_eq!(environment["URL"], "https://here");
    assert_eq!(environment["OPTIONAL"], "https://here");
    assert_eq!(stack.event_sources[0].maximum_concurrency, Some(7));
    let unknown = read_with(SMALL, &[("Nowhere", "x")]).expect_err("unknown parameter");
    assert_eq!(unknown.to_string(), "Parameters: there is no parameter Nowhere");
}

/// Every mistake, made by one replacement in the template above, and the sentence it gets.
#[test]
fn a_wrong_template_gets_one_clear_sentence() {
    let mistakes = [
        (
            "QUEUE: !Ref Jobs",
            "QUEUE: !Ref Job",
            "Work.Environment.Variables.QUEUE: there is no parameter or resource Job",
        ),
        (
            "Resource: !GetAtt Jobs.Arn",
            "Resource: !GetAtt Gone.Arn",
            "Work.Policies[0].Statement[0].Resource: there is no parameter or resource Gone",
        ),
        (
            "!GetAtt Api.ApiEndpoint",
            "!GetAtt Api.Endpoint",
            "Work.Environment.Variables.URL: Api (AWS::ApiGatewayV2::Api) has no attribute \"Endpoint\" that is known on this machine",
        ),
        (
            "BuildProperties: { Binary: work }",
            "BuildProperties: {}",
            "Work.Metadata.BuildProperties.Binary: is missing: which binary is this function?",
        ),
        (
            "Queue: !GetAtt Jobs.Arn",
            "Queue: arn:aws:sqs:us-east-1:123456789012:Gone",
            "Work.Events.Queue.Queue: arn:aws:sqs:us-east-1:123456789012:Gone is no queue here",
        ),
        (
            "deadLetterTargetArn: !GetAtt Dead.Arn",
            "deadLetterTargetArn: arn:dead",
            "Jobs.RedrivePolicy.deadLetterTargetArn: arn:dead is no queue here",
        ),
        ("!If [Somewhere", "!If [Elsewhere", "Work.Environment.Variables.URL: there is no condition Elsewhere"),
        (
            "QUEUE: !Ref Jobs",
            "QUEUE: !ImportValue x",
            "Work.Environment.Variables.QUEUE: Fn::ImportValue can't be resolved on this machine",
        ),
        ("VisibilityTimeout: 60", "VisibilityTimeout: soon", "Jobs.VisibilityTimeout: \"soon\" is not a whole number"),
        (
            "VisibilityTimeout: 60",
            "VisibilityTimeout: 5",
            "Work.Events.Queue: the function may run longer than messages of Jobs stay invisible",
        ),
        (
            "KEY: !Ref Key",
            "KEY: !Sub '{{resolve:secretsmanager:${Key}:SecretString}}'",
            "Work.Environment.Variables.KEY: is filled in at deployment, for all to read who see the function",
        ),
        (
            "Principal: apigateway.amazonaws.com",
            "Principal: s3.amazonaws.com",
            "Way.Target: no AWS::Lambda::Permission lets the API invoke Work",
        ),
        ("Type: SQS", "Type: Schedule", "Work.Events.Queue: events of type Schedule are not played on this machine"),
        (
            "MaximumConcurrency: !Ref Many",
            "MaximumConcurrency: 1",
            "Work.Events.Queue.ScalingConfig: 1 is not between 2 and 1000",
        ),
    ];
    for (right, wrong, sentence) in mistakes {
        assert!(SMALL.contains(right), "{right}");
        let error = read(&SMALL.replacen(right, wrong, 1)).expect_err(wrong);
        assert_eq!(error.to_string(), sentence);
    }
}

/// The template above with a role of its own for the function, in place of one that SAM makes.
fn with_role(statements: &str) -> String {
    let role = format!(
        r#"Resources:
  Rights:
    Type: AWS::IAM::ManagedPolicy
    Properties: {{ PolicyDocument: {{ Statement: [{{ Effect: Allow, Action: [dynamodb:GetItem], Resource: !GetAtt Table.Arn }}] }} }}
  WorkRole:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {{ Statement: [{{ Effect: Allow, Principal: {{ Service: lambda.amazonaws.com }}, Action: sts:AssumeRole }}] }}
      ManagedPolicyArns: [!Ref Rights]
      Policies: [{{ PolicyName: own, PolicyDocument: {{ Statement: [{statements}] }} }}]"#
    );
    let small = SMALL.replacen("Resources:", &role, 1);
    small.replacen("      Timeout: 10\n", "      Timeout: 10\n      Role: !GetAtt WorkRole.Arn\n", 1)
}

const READS: &str = "{ Effect: Allow, Action: [sqs:ReceiveMessage, sqs:DeleteMessage, sqs:GetQueueAttributes], Resource: !GetAtt Jobs.Arn }";

#[test]
fn a_function_with_a_role_of_its_own_may_do_what_the_role_says_and_no_more() {
    let stack = read(&with_role(READS)).expect("a stack");
    let policy = &stack.functions["work"].policy;
    assert!(policy.allows("sqs:ReceiveMessage", &queue_arn("Jobs")));
    assert!(policy.allows("dynamodb:GetItem", &table_arn("Table")));
    assert!(!policy.allows("sqs:SendMessage", &queue_arn("Jobs")), "what stands beside a role does not count");
    assert!(!policy.allows("sqs:ReceiveMessage", &queue_arn("Dead")));
}

#[test]
fn a_role_that_would_not_do_is_refused() {
    let good = with_role(READS);
    let mistakes = [
        ("sqs:DeleteMessage, ", "", "Work.Events.Queue: the function's role does not allow sqs:DeleteMessage on Jobs"),
        (
            "Jobs.Arn }] }",
            "Dead.Arn }] }",
            "Work.Events.Queue: the function's role does not allow sqs:ReceiveMessage on Jobs",
        ),
        (
            "lambda.amazonaws.com",
            "ec2.amazonaws.com",
            "WorkRole.AssumeRolePolicyDocument: does not let Lambda take the role on",
        ),
        (
            "!Ref Rights",
            "arn:aws:iam::aws:policy/PowerUserAccess",
            r#"WorkRole.ManagedPolicyArns: "arn:aws:iam::aws:policy/PowerUserAccess" is no policy here"#,
        ),
        (
            "Role: !GetAtt WorkRole.Arn",
            "Role: arn:aws:iam::123456789012:role/Gone",
            "Work.Role: arn:aws:iam::123456789012:role/Gone is no role here",
        ),
    ];
    for (right, wrong, sentence) in mistakes {
        assert!(good.contains(right), "{right}");
        let error = read(&good.replacen(right, wrong, 1)).expect_err(wrong);
        assert_eq!(error.to_string(), sentence);
    }
}

const DOOR: &str = r#"Resources:
  Door: { Type: AWS::Lambda::Url, Properties: { AuthType: NONE, TargetFunctionArn: !Ref Work } }
  MayCall:
    Type: AWS::Lambda::Permission
    Properties: { FunctionName: !Ref Work, Principal: "*", Action: lambda:InvokeFunctionUrl, FunctionUrlAuthType: NONE }
  MayInvoke:
    Type: AWS::Lambda::Permission
    Properties: { FunctionName: !Ref Work, Principal: "*", Action: lambda:InvokeFunction, InvokedViaFunctionUrl: true }"#;

#[test]
fn a_function_url_is_open_to_all_by_both_statements_and_not_by_one() {
    let template =
        SMALL.replacen("Resources:", DOOR, 1).replacen("QUEUE: !Ref Jobs", "QUEUE: !GetAtt Door.FunctionUrl", 1);
    assert_eq!(function_url_ids(&template), Ok(vec!["Door".to_owned()]));
    let door = |is_public| FunctionUrl { id: "Door".into(), function: "work".into(), is_public };
    let stack = read(&template).expect("a stack");
    assert_eq!(stack.function_urls, [door(true)]);
    assert_eq!(stack.functions["work"].environment["QUEUE"], "http://127.0.0.1:4000/");
    for lacking in ["FunctionUrlAuthType: NONE", "InvokedViaFunctionUrl: true"] {
        let one = template.replacen(lacking, "Description: none", 1);
        assert_eq!(read(&one).expect("a stack").function_urls, [door(false)], "{lacking}");
    }
    let signed = template.replacen("AuthType: NONE", "AuthType: AWS_IAM", 1);
    assert_eq!(read(&signed).expect_err("signed").to_string(), "Door.AuthType: only NONE is played on this machine");
}

#[test]
fn references_in_a_circle_end() {
    let circle = "Conditions: { A: !Not [!Condition B], B: !Not [!Condition A] }\nResources: {}";
    assert!(read(circle).expect_err("a circle").message.contains("circle"));
}

#[test]
fn what_is_not_yaml_is_said_with_its_line() {
    let error = read("Resources:\n  A: [1, 2\n").expect_err("no YAML");
    assert!(error.to_string().contains("line"), "{error}");
}

/// What the rest of the engine's tests can't show: that the template in this repository is one that the engine plays.
#[test]
fn the_products_own_template_is_understood() {
    let stack = read(include_str!("../../../../template.yaml")).expect("a stack");
    for source in &stack.event_sources {
        assert!(source.report_batch_item_failures, "{} must report partial failures", source.function);
        let queue = &stack.queues[&source.queue];
        assert!(queue.redrive.is_some(), "{} must have a dead-letter queue", source.queue);
        assert!(queue.visibility_timeout >= 6 * stack.functions[&source.function].timeout, "{}", source.queue);
    }
    assert!(stack.routes.iter().any(|route| route.key == "$default"));
    assert_eq!(stack.tables.len(), 1);
}

#[test]
fn cors_is_what_the_api_says() {
    assert_eq!(read(SMALL).expect("a stack").cors, None);
    let with = |cors: &str| {
        let properties = format!("{{ ProtocolType: HTTP, CorsConfiguration: {cors} }}");
        read(&SMALL.replace("{ ProtocolType: HTTP }", &properties))
    };
    let cors =
        with(r#"{ AllowOrigins: ["*"], AllowMethods: [GET], MaxAge: 600 }"#).expect("a stack").cors.expect("CORS");
    assert_eq!((cors.allow_methods, cors.max_age, cors.allow_credentials), (vec!["GET".to_owned()], Some(600), false));
    for (wrong, names) in [
        (r#"{ AllowOrigins: ["*"], AllowCredentials: true }"#, "AllowCredentials"),
        ("{ AllowOrigin: x }", "AllowOrigin"),
    ] {
        let error = with(wrong).expect_err("wrong").to_string();
        assert!(error.contains("Api.CorsConfiguration") && error.contains(names), "{error}");
    }
}

#[test]
fn parameters_are_checked_as_cloudformation_would() {
    let template = r#"
Parameters:
  Url: { Type: String, Default: "", AllowedPattern: "(https?://[a-z.]+)?", ConstraintDescription: is not a URL without a path. }
  Name: { Type: String, Default: ab, AllowedPattern: "[a-z]+", MaxLength: 3 }
  Level: { Type: String, Default: INFO, AllowedValues: [DEBUG, INFO] }
  Many: { Type: Number, Default: 4, MinValue: 2, MaxValue: 10 }
Resources: { Jobs: { Type: AWS::SQS::Queue } }
"#;
    for good in
        [("Url", "https://a.test"), ("Url", ""), ("Name", "abc"), ("Level", "DEBUG"), ("Many", "2"), ("Many", "10")]
    {
        assert!(read_with(template, &[good]).is_ok(), "{good:?}");
    }
    let refused = [
        (("Url", "a.test"), r#"Parameters.Url: "a.test" is not a URL without a path."#),
        (("Url", "https://a.test/x"), r#"Parameters.Url: "https://a.test/x" is not a URL without a path."#),
        (("Name", "ab\nc"), r#"Parameters.Name: "ab\nc" does not match [a-z]+"#),
        (("Name", "abcd"), r#"Parameters.Name: "abcd" is above its MaxLength, 3"#),
        (("Level", "info"), r#"Parameters.Level: "info" is not one of its allowed values: DEBUG, INFO"#),
        (("Many", "1"), r#"Parameters.Many: "1" is below its MinValue, 2"#),
        (("Many", "11"), r#"Parameters.Many: "11" is above its MaxValue, 10"#),
        (("Many", "few"), r#"Parameters.Many: "few" is not a number"#),
    ];
    for (value, problem) in refused {
        assert_eq!(read_with(template, &[value]).unwrap_err().to_string(), problem);
    }
}
