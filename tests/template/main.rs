//! What `template.yaml` promises to operators, held against the template itself. Whether AWS would take it is for
//! `scripts/check-template` to say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use local::lambda::template::{
    ACCOUNT, EventSource, Function, Queue, REGION, Resource, Settings, Stack, TemplateError, bucket_arn, queue_arn,
    secret_arn, stream_arn, table_arn,
};
use serde_json::json;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn text() -> String {
    std::fs::read_to_string(root().join("template.yaml")).unwrap()
}

fn stack() -> Stack {
    deployed([]).unwrap()
}

fn deployed<const N: usize>(parameters: [(&str, &str); N]) -> Result<Stack, TemplateError> {
    let settings = Settings {
        base_url: "http://127.0.0.1:3000".into(),
        parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..Settings::default()
    };
    Stack::read(&text(), &settings)
}

#[test]
fn an_address_that_would_lose_callbacks_or_alarms_is_refused_before_it_is_deployed() {
    let good = [
        ("PublicUrl", "https://msg.example.test"),
        ("PublicUrl", "http://127.0.0.1:3000"),
        ("PublicUrl", ""),
        ("TwilioApiUrl", "http://127.0.0.1:3000/_carriers/twilio"),
        ("MessagebirdApiUrl", "https://rest.messagebird.com"),
        ("AlarmTopicArn", "arn:aws-us-gov:sns:us-gov-west-1:123456789012:alarms"),
    ];
    for parameter in good {
        assert!(deployed([parameter]).is_ok(), "{parameter:?}");
    }
    let bad = [
        ("PublicUrl", "msg.example.test"),
        ("PublicUrl", "ftp://msg.example.test"),
        ("PublicUrl", "https://msg.example.test/"),
        ("PublicUrl", "https://msg.example.test/heliograph"),
        ("PublicUrl", "https://msg.example.test?x=1"),
        ("PublicUrl", "https://user@msg.example.test"),
        ("PublicUrl", "https:// msg.example.test"),
        ("TwilioApiUrl", "api.twilio.com"),
        ("TwilioApiUrl", ""),
        ("TwilioApiUrl", "https://api.twilio.com/"),
        ("MessagebirdApiUrl", "https://rest.messagebird.com/?x"),
        ("AlarmTopicArn", "alarms"),
        ("AlarmTopicArn", "arn:aws:sqs:us-east-1:123456789012:alarms"),
    ];
    for (name, value) in bad {
        let problem = deployed([(name, value)]).unwrap_err();
        assert_eq!(problem.place, format!("Parameters.{name}"), "{value}");
    }
}

/// Every event source with its function and its queue.
fn consumers(stack: &Stack) -> Vec<(&EventSource, &Function, &Queue)> {
    let consumer =
        |source| -> (&EventSource, _, _) { (source, &stack.functions[&source.function], &stack.queues[&source.queue]) };
    stack.event_sources.iter().map(consumer).collect()
}

fn dead_letter_queues(stack: &Stack) -> Vec<&Queue> {
    stack.queues.values().filter(|queue| stack.is_dead_letter_queue(&queue.name)).collect()
}

#[test]
fn every_queue_is_consumed_in_full_batches_that_may_fail_in_part() {
    let stack = stack();
    let mut consumed: Vec<_> = consumers(&stack).into_iter().map(|(.., queue)| &queue.name).collect();
    consumed.sort();
    let queues: Vec<_> = stack.queues.keys().filter(|name| !stack.is_dead_letter_queue(name)).collect();
    assert_eq!(consumed, queues);
    for (source, ..) in consumers(&stack) {
        assert_eq!(source.batch_size, 10, "{}", source.queue);
        assert!(source.report_batch_item_failures, "{}", source.queue);
    }
}

#[test]
fn a_message_stays_invisible_for_six_times_its_functions_timeout() {
    let stack = stack();
    for (_, function, queue) in consumers(&stack) {
        assert_eq!(queue.visibility_timeout, function.timeout * 6, "{}", queue.name);
    }
}

#[test]
fn what_cannot_be_done_outlives_its_queue_in_a_dead_letter_queue_of_its_own() {
    let stack = stack();
    let mut used = Vec::new();
    for (.., queue) in consumers(&stack) {
        let redrive = queue.redrive.as_ref().unwrap_or_else(|| panic!("{} has no dead-letter queue", queue.name));
        let dead = &stack.queues[&redrive.dead_letter_queue];
        assert!(dead.retention > queue.retention, "{}", dead.name);
        assert_eq!(dead.retention, Duration::from_secs(14 * 86_400), "{}", dead.name);
        assert!(dead.redrive.is_none(), "{}", dead.name);
        used.push(&dead.name);
    }
    used.sort();
    used.dedup();
    assert_eq!(used.len(), consumers(&stack).len());
    assert_eq!(used.len(), dead_letter_queues(&stack).len());
}

#[test]
fn what_a_function_prepared_and_never_made_is_given_up_after_its_timeout() {
    let stack = stack();
    let patience = Duration::from_secs(shared::outbox::PATIENCE_SECONDS.unsigned_abs());
    let consumers: Vec<_> = consumers(&stack).into_iter().map(|(_, function, _)| &function.logical_id).collect();
    let prepares = |function: &&Function| {
        function.environment.contains_key("RECEIVE_QUEUE_URL") && !consumers.contains(&&function.logical_id)
    };
    for function in stack.functions.values().filter(prepares) {
        assert!(function.timeout + Duration::from_secs(1) < patience, "{}", function.logical_id);
    }
}

#[test]
fn a_function_knows_how_often_its_queue_gives_a_task_out() {
    let stack = stack();
    for (_, function, queue) in consumers(&stack) {
        if let Some(told) = function.environment.get("MAX_RECEIVES") {
            let actual = queue.redrive.as_ref().map(|redrive| redrive.max_receive_count.to_string());
            assert_eq!(Some(told.clone()), actual, "{}", function.logical_id);
        }
    }
}

/// Whether some alarm watches this metric of that queue or function.
fn is_watched(stack: &Stack, metric: &str, dimension: &str, value: &str) -> bool {
    of_kind(stack, "AWS::CloudWatch::Alarm").any(|alarm| {
        alarm.properties["MetricName"].as_str().is_some_and(|name| name.starts_with(metric))
            && alarm.properties["Dimensions"] == json!([{ "Name": dimension, "Value": value }])
    })
}

#[test]
fn an_alarm_tells_of_dead_letters_of_tasks_that_wait_and_of_functions_that_fail() {
    let stack = stack();
    for queue in dead_letter_queues(&stack) {
        assert!(is_watched(&stack, "ApproximateNumberOfMessagesVisible", "QueueName", &queue.name), "{}", queue.name);
    }
    for (.., queue) in consumers(&stack) {
        assert!(is_watched(&stack, "ApproximateAgeOfOldestMessage", "QueueName", &queue.name), "{}", queue.name);
    }
    for function in stack.functions.values() {
        assert!(is_watched(&stack, "Errors", "FunctionName", &function.logical_id), "{}", function.logical_id);
    }
}

#[test]
fn every_alarm_says_where_to_read_on_and_tells_the_topic() {
    let pages = std::fs::read_to_string(root().join("docs/OPERATIONS.md")).unwrap();
    let anchor = |heading: &str| heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    let anchors: Vec<String> = pages.lines().filter(|line| line.starts_with("##")).map(anchor).collect();
    let topic = "arn:aws:sns:us-east-1:123456789012:alarms";
    let stack = deployed([("AlarmTopicArn", topic)]).unwrap();
    for alarm in of_kind(&stack, "AWS::CloudWatch::Alarm") {
        let description = alarm.properties["AlarmDescription"].as_str().unwrap();
        let (_, named) = description.split_once("docs/OPERATIONS.md#").unwrap_or_else(|| panic!("{}", alarm.id));
        assert!(anchors.iter().any(|anchor| anchor == named), "{} names {named}", alarm.id);
        assert_eq!(alarm.properties["AlarmActions"], json!([topic]), "{}", alarm.id);
        assert_eq!(alarm.properties["TreatMissingData"], "notBreaching", "{}", alarm.id);
    }
}

#[test]
fn the_dashboard_names_nothing_that_a_new_channel_would_have_to_be_added_to() {
    let stack = stack();
    let body = of_kind(&stack, "AWS::CloudWatch::Dashboard").next().unwrap().properties["DashboardBody"].clone();
    let body: serde_json::Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
    for widget in body["widgets"].as_array().unwrap() {
        for metric in widget["properties"]["metrics"].as_array().unwrap() {
            let search = metric[0]["expression"].as_str().unwrap();
            assert!(search.starts_with("SEARCH('{") && search.contains(" local',"), "{search}");
        }
    }
}

#[test]
fn what_cannot_be_made_again_outlives_the_stack_but_not_one_that_could_not_be_made() {
    let text = text();
    for kind in ["AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SecretsManager::Secret"] {
        let kept = format!("Type: {kind}\n    DeletionPolicy: RetainExceptOnCreate\n    UpdateReplacePolicy: Retain\n");
        assert!(text.contains(&kept), "{kind}");
    }
    let protected = |value| {
        let stack = deployed([("TableDeletionProtection", value)]).unwrap();
        of_kind(&stack, "AWS::DynamoDB::Table").next().unwrap().properties["DeletionProtectionEnabled"].clone()
    };
    assert_eq!((protected("enabled"), protected("disabled")), (json!(true), json!(false)));
}

#[test]
fn the_bucket_refuses_plain_http() {
    let stack = stack();
    let policy = of_kind(&stack, "AWS::S3::BucketPolicy").next().unwrap();
    assert_eq!(policy.properties["Bucket"], stack.buckets[0]);
    let statement = &policy.properties["PolicyDocument"]["Statement"][0];
    assert_eq!((&statement["Effect"], &statement["Principal"]), (&json!("Deny"), &json!("*")));
    assert_eq!(statement["Condition"], json!({ "Bool": { "aws:SecureTransport": "false" } }));
}

fn of_kind<'a>(stack: &'a Stack, kind: &'a str) -> impl Iterator<Item = &'a Resource> {
    stack.resources.iter().filter(move |resource| resource.kind == kind)
}

/// So whoever sends holds one pattern and no list, and operators know a queue's name without asking.
#[test]
fn queues_are_named_after_the_stack_and_what_they_are_for() {
    let stack = stack();
    for (source, _, queue) in consumers(&stack) {
        assert_eq!(queue.name, format!("local-{}", source.function.replace('_', "-")));
        assert_eq!(queue.redrive.as_ref().unwrap().dead_letter_queue, format!("{}-dead", queue.name));
    }
    let patterns: BTreeSet<String> =
        stack.functions.values().filter_map(|function| function.environment.get("SEND_QUEUE_URL").cloned()).collect();
    let [pattern]: [String; 1] = Vec::from_iter(patterns).try_into().unwrap();
    assert!(pattern.ends_with("/local-send-{channel}"), "{pattern}");
}

/// What AWS allows the names that begin with the stack's, and what of that is left for it.
#[test]
fn a_stacks_name_of_fifty_characters_fits_into_every_name() {
    let limits = [
        ("AWS::SQS::Queue", "QueueName", 80),
        ("AWS::CloudWatch::Dashboard", "DashboardName", 255),
        ("AWS::ApiGatewayV2::Api", "Name", 128),
        ("AWS::Logs::LogGroup", "LogGroupName", 512),
        ("AWS::IAM::Role", "RoleName", 64),
        ("AWS::Serverless::Function", "FunctionName", 64),
    ];
    let stack = stack();
    for (kind, property, limit) in limits {
        for name in of_kind(&stack, kind).filter_map(|resource| resource.properties[property].as_str()) {
            assert!(name.contains("local"), "{name} does not follow from the stack's");
            assert!(name.len() - "local".len() + 50 <= limit, "{name}");
        }
    }
}

/// Below thirty messages in flight a fair queue calls nobody noisy by their number.
#[test]
fn every_queue_is_read_by_a_bounded_number_of_batches_and_by_enough_for_its_fairness() {
    for source in &stack().event_sources {
        let batches = source.maximum_concurrency.unwrap_or_else(|| panic!("{} is read without bound", source.queue));
        assert!(batches * source.batch_size >= 30, "{}", source.queue);
    }
}

#[test]
fn what_is_logged_is_forgotten() {
    let stack = stack();
    for group in of_kind(&stack, "AWS::Logs::LogGroup") {
        assert!(group.properties["RetentionInDays"].is_number(), "{}", group.id);
    }
    let stream = format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/heliograph/local:log-stream:today");
    for function in stack.functions.values() {
        assert!(function.policy.allows("logs:PutLogEvents", &stream), "{}", function.logical_id);
    }
}

#[test]
fn requests_are_logged_without_a_word_of_whom_they_are_about() {
    let stack = stack();
    let stage = of_kind(&stack, "AWS::ApiGatewayV2::Stage").next().unwrap();
    let format = stage.properties["AccessLogSettings"]["Format"].as_str().unwrap();
    let logged: BTreeMap<String, String> = serde_json::from_str(format).unwrap();
    let harmless = ["requestId", "routeKey", "status", "responseLength", "responseLatency", "integrationLatency"];
    let errors = ["error.message", "integrationErrorMessage"];
    for (name, value) in logged {
        let variable = value.strip_prefix("$context.").unwrap();
        assert!(harmless.contains(&variable) || errors.contains(&variable), "{name}: {value}");
    }
}

#[test]
fn requests_are_throttled_only_where_that_is_asked_for() {
    let limits = |stack: &Stack| {
        of_kind(stack, "AWS::ApiGatewayV2::Stage").next().unwrap().properties["DefaultRouteSettings"].clone()
    };
    assert_eq!(limits(&stack()), json!(null));
    let asked = deployed([("ApiRequestsPerSecond", "50"), ("ApiRequestBurst", "20")]).unwrap();
    assert_eq!(limits(&asked), json!({ "ThrottlingRateLimit": "50", "ThrottlingBurstLimit": "20" }));
}

#[test]
fn policies_name_each_action_and_resource_and_allow_no_scan() {
    let text = text();
    assert!(!text.contains("Resource: \"*\"") && !text.contains("Resource: '*'"), "a policy reaches every resource");
    let lists = text.lines().filter_map(|line| line.split_once("Action: [")?.1.split(']').next());
    let actions: Vec<_> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
    assert!(!actions.is_empty());
    for action in actions {
        let is_one_small_thing = !action.contains('*') && !action.ends_with(":Scan") && !action.ends_with("Queue");
        assert!(is_one_small_thing, "{action}");
    }
}

const READ: [&str; 3] = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"];
const WRITE: [&str; 3] = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"];
const TRANSACT: [&str; 1] = ["dynamodb:ConditionCheckItem"];
const IN_BATCHES: [&str; 1] = ["dynamodb:BatchWriteItem"];
const SEND: [&str; 1] = ["sqs:SendMessage"];
/// And opens the connection at its start.
const SEND_SOON: [&str; 2] = ["sqs:SendMessage", "sqs:GetQueueAttributes"];
/// As the queue's consumer, and to put back what is to wait.
const CONSUME: [&str; 5] = [
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ChangeMessageVisibility",
    "sqs:SendMessage",
];
const STREAM: [&str; 4] =
    ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"];

/// All that each function may do. A right that is given in the template is given here a second time, on purpose.
fn rights() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let mut rights = vec![
        ("notifications", "table", READ[..1].to_vec()),
        ("callbacks", "table", vec!["dynamodb:GetItem", "dynamodb:PutItem"]),
        ("callbacks", "local-receive", SEND_SOON.to_vec()),
        ("receive", "table", [&READ[..], &WRITE, &TRANSACT].concat()),
        ("receive", "stream", STREAM.to_vec()),
        ("receive", "local-receive", CONSUME.to_vec()),
        ("receive", "local-deliver", SEND_SOON.to_vec()),
        ("receive", "local-upkeep", SEND.to_vec()),
        ("deliver", "table", vec!["dynamodb:GetItem", "dynamodb:Query"]),
        ("deliver", "local-deliver", CONSUME.to_vec()),
        ("deliver", "local-deliver-dead", SEND.to_vec()),
        ("upkeep", "table", [&READ[..], &WRITE, &TRANSACT, &IN_BATCHES].concat()),
        ("upkeep", "local-upkeep", CONSUME.to_vec()),
        ("upkeep", "local-deliver", SEND.to_vec()),
        ("upkeep", "files", vec!["s3:DeleteObject"]),
        ("upkeep", "bucket", vec!["s3:ListBucket"]),
        ("api", "table", [&READ[..], &WRITE, &TRANSACT, &IN_BATCHES].concat()),
        ("api", "local-receive", SEND_SOON.to_vec()),
        ("api", "local-deliver", SEND.to_vec()),
        ("api", "local-upkeep", SEND.to_vec()),
        ("api", "files", vec!["s3:PutObject", "s3:GetObject", "s3:DeleteObject"]),
        ("api", "bucket", vec!["s3:ListBucket"]),
    ];
    for (sender, queue, dead) in [
        ("send_twilio", "local-send-twilio", "local-send-twilio-dead"),
        ("send_messagebird", "local-send-messagebird", "local-send-messagebird-dead"),
    ] {
        rights.push((sender, "table", [&READ[..], &WRITE].concat()));
        rights.push((sender, queue, CONSUME.to_vec()));
        rights.push((sender, "local-deliver", SEND_SOON.to_vec()));
        // One pattern holds all queues of that name, their dead letters too.
        for queue in [queue, dead] {
            rights.push(("notifications", queue, SEND_SOON.to_vec()));
            rights.push(("receive", queue, SEND.to_vec()));
            rights.push(("api", queue, SEND.to_vec()));
        }
    }
    rights
}

#[test]
fn each_function_may_do_what_it_does_and_nothing_else() {
    let (text, stack) = (text(), stack());
    let actions: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.split_once("Action: [")?.1.split(']').next())
        .flat_map(|list| list.split(',').map(str::trim))
        .collect();
    let bucket = bucket_arn(&stack.buckets[0]);
    let mut resources: Vec<_> = stack.queues.keys().map(|name| (name.as_str(), queue_arn(name))).collect();
    resources.push(("table", table_arn(&stack.tables[0].name)));
    resources.push(("stream", stream_arn(&stack.tables[0].name)));
    resources.extend([("files", format!("{bucket}/a/file")), ("bucket", bucket)]);
    let mut given = BTreeSet::new();
    for function in stack.functions.values() {
        for (resource, arn) in &resources {
            let may = actions.iter().filter(|action| function.policy.allows(action, arn));
            given.extend(may.map(|action| format!("{} {action} {resource}", function.name)));
        }
    }
    let wanted: BTreeSet<String> = rights()
        .into_iter()
        .flat_map(|(function, resource, may)| {
            may.into_iter().map(move |action| format!("{function} {action} {resource}"))
        })
        .collect();
    assert_eq!(given, wanted);
}

#[test]
fn there_is_one_table_and_what_is_transient_in_it_ends_by_itself() {
    let stack = stack();
    let [table] = stack.tables.as_slice() else { panic!("one table") };
    assert_eq!(table.ttl_attribute.as_deref(), Some("ttl"));
}

#[test]
fn every_function_may_read_the_table_and_only_those_that_open_or_seal_may_read_the_secret() {
    let stack = stack();
    let secret = secret_arn(stack.secrets.keys().next().unwrap());
    let table = table_arn(&stack.tables[0].name);
    for function in stack.functions.values() {
        assert!(function.policy.allows("dynamodb:GetItem", &table), "{}", function.logical_id);
        assert!(function.environment.contains_key("TABLE_NAME"), "{}", function.logical_id);
        let opens = !["receive", "upkeep"].contains(&function.name.as_str());
        let told = function.environment.get("SEALING_SECRET_ARN").cloned();
        assert_eq!(told, opens.then(|| secret.clone()), "{}", function.logical_id);
        let may_read = function.policy.allows("secretsmanager:GetSecretValue", &secret);
        assert_eq!(may_read, opens, "{}", function.logical_id);
        assert!(!function.policy.allows("secretsmanager:PutSecretValue", &secret), "{}", function.logical_id);
    }
}

#[test]
fn carriers_call_a_function_url_or_the_domain_that_the_stack_was_given() {
    let told = |stack: &Stack| {
        let environments = stack.functions.values().map(|function| function.environment.clone());
        let mut told: Vec<_> = environments.filter_map(|mut variables| variables.remove("CALLBACKS_URL")).collect();
        assert!(told.len() > shared::model::ChannelType::ALL.len(), "senders, and who sets carriers up");
        told.dedup();
        told
    };
    assert_eq!(told(&stack()), ["https://callbacksurl.lambda-url.us-east-1.on.aws/"]);
    let own = "https://msg.example.test";
    assert_eq!(told(&deployed([("PublicUrl", own)]).unwrap()), [own]);
}

#[test]
fn the_intake_has_an_address_of_its_own_where_that_is_asked_for() {
    let open = |stack: &Stack| {
        let urls = stack.function_urls.iter().inspect(|url| assert!(url.is_public, "{}", url.id));
        urls.map(|url| url.function.clone()).collect::<Vec<_>>()
    };
    let stack = stack();
    assert_eq!(open(&stack), ["callbacks"]);
    assert!(!stack.outputs.contains_key("NotificationsUrl"));
    let with = deployed([("NotificationsFunctionUrl", "enabled")]).unwrap();
    assert_eq!(open(&with), ["notifications", "callbacks"]);
    assert_eq!(with.outputs["NotificationsUrl"], "https://notificationsurl.lambda-url.us-east-1.on.aws/");
}

/// Everybody, but only by the function's URL: not by Lambda's own API, and not whoever else AWS lets in.
#[test]
fn strangers_reach_a_function_by_its_url_alone() {
    let stack = deployed([("NotificationsFunctionUrl", "enabled")]).unwrap();
    for permission in of_kind(&stack, "AWS::Lambda::Permission") {
        let properties = &permission.properties;
        let by_url = properties["FunctionUrlAuthType"] == "NONE" || properties["InvokedViaFunctionUrl"] == true;
        let by_gateway = properties["Principal"] == "apigateway.amazonaws.com" && properties["SourceArn"].is_string();
        assert!(by_gateway || (by_url && properties["Principal"] == "*"), "{}", permission.id);
    }
}

/// The function that the template routes a request to.
fn served_by(stack: &Stack, method: &str, path: &str) -> Option<String> {
    local::lambda::gateway::Routes::new(&stack.routes).find(method, path).map(|found| found.function)
}

#[test]
fn notifications_as_clients_spell_them_lead_to_the_lean_function_and_all_else_to_the_api() {
    let stack = stack();
    for route in shared::api::routes::ROUTES {
        let full = route.path.to_owned();
        let short = full.strip_prefix("/apps/{appId}/").map(|path| format!("/{path}"));
        for form in [Some(full), short].into_iter().flatten() {
            for version in ["v1", "v1.1"] {
                let path = format!("/{version}{}", form.replace(['{', '}'], ""));
                let is_lean = route.operation == shared::api::Operation::CreateNotification;
                let expected = if is_lean { "notifications" } else { "api" };
                let function = served_by(&stack, route.method, &path);
                assert_eq!(function.as_deref(), Some(expected), "{} {path}", route.method);
            }
        }
    }
    for other in ["/", "/docs", "/openapi.json", "/media/a", "/V1.1/Apps/a/Notifications/", "/callbacks", "/v2/apps"] {
        assert_eq!(served_by(&stack, "POST", other).as_deref(), Some("api"), "{other}");
    }
    assert_eq!(served_by(&stack, "POST", "/callbacks/twilio/a/b").as_deref(), Some("callbacks"));
}

/// A stage that deploys by itself does so for each route that comes after it.
#[test]
fn the_stage_comes_after_every_route() {
    let text = text();
    let stage = text.split("\n  ApiStage:\n").nth(1).unwrap().split("Properties:").next().unwrap();
    let routes = text.split("    Type: AWS::ApiGatewayV2::Route\n").filter_map(|before| {
        let name = before.trim_end().lines().last()?.trim().strip_suffix(':')?;
        Some(name.to_owned())
    });
    let routes: Vec<_> = routes.filter(|name| name.ends_with("Route")).collect();
    assert_eq!(routes.len(), stack().routes.len());
    for route in routes {
        assert!(stage.contains(&route), "ApiStage does not depend on {route}");
    }
}

#[test]
fn pages_of_any_origin_may_call_what_people_may_and_send_no_cookies() {
    let cors = stack().cors.unwrap();
    assert!(!cors.allow_credentials);
    assert_eq!(cors.allow_origins, ["*"]);
    for route in shared::api::routes::ROUTES.iter().filter(|route| route.access == shared::api::Access::Person) {
        assert!(cors.allow_methods.iter().any(|method| method == route.method), "{route:?}");
    }
    for header in ["authorization", "content-type"] {
        assert!(cors.allow_headers.iter().any(|allowed| allowed == header), "{header}");
    }
    assert!(cors.expose_headers.iter().any(|header| header == "retry-after"));
}
