//! What a function's role allows, as far as the template says it: enough of IAM to hold least privilege to a test.
//! Statements with actions and resources, wildcards, and explicit denial; conditions and principals are refused, so
//! that nothing is ever taken for granted that isn't understood.

use serde::Deserialize;
use serde_json::Value;

/// The statements of one function. A function without any may do nothing.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
struct Statement {
    allows: bool,
    actions: Vec<String>,
    resources: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    statement: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawStatement {
    effect: String,
    action: OneOrMany,
    resource: OneOrMany,
    condition: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Vec<String> {
    fn from(some: OneOrMany) -> Self {
        match some {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }
}

impl Policy {
    /// Reads a function's resolved `Policies`.
    ///
    /// # Errors
    /// What in it can't be understood, in one sentence without the place.
    pub fn read(policies: &Value) -> Result<Self, String> {
        let documents = match policies {
            Value::Null => &[][..],
            Value::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut statements = Vec::new();
        for document in documents {
            let Document { statement } = serde_json::from_value(document.clone())
                .map_err(|_| format!("only policies written out as statements are understood, not {document}"))?;
            let items = match statement {
                Value::Array(items) => items,
                one => vec![one],
            };
            for item in items {
                statements.push(Statement::read(item)?);
            }
        }
        Ok(Self { statements })
    }

    /// Whether `action` (such as `sqs:SendMessage`) is allowed on `resource` (an ARN).
    pub fn allows(&self, action: &str, resource: &str) -> bool {
        let applies = |s: &&Statement| {
            s.actions.iter().any(|pattern| matches(&pattern.to_lowercase(), &action.to_lowercase()))
                && s.resources.iter().any(|pattern| matches(pattern, resource))
        };
        let mut applying = self.statements.iter().filter(applies).peekable();
        applying.peek().is_some() && applying.all(|s| s.allows)
    }
}

impl Statement {
    fn read(raw: Value) -> Result<Self, String> {
        let shown = raw.to_string();
        let raw: RawStatement =
            serde_json::from_value(raw).map_err(|e| format!("the statement {shown} is not understood: {e}"))?;
        if raw.condition.is_some() {
            return Err(format!("the statement {shown} has a condition, which is not understood"));
        }
        let allows = match raw.effect.as_str() {
            "Allow" => true,
            "Deny" => false,
            other => return Err(format!("the effect {other:?} is neither Allow nor Deny")),
        };
        let (actions, resources): (Vec<String>, Vec<String>) = (raw.action.into(), raw.resource.into());
        if let Some(odd) = actions.iter().find(|a| *a != "*" && !a.contains(':')) {
            return Err(format!("the action {odd:?} names no service"));
        }
        if let Some(odd) = resources.iter().find(|r| *r != "*" && !r.starts_with("arn:")) {
            return Err(format!("the resource {odd:?} is not an ARN"));
        }
        Ok(Self { allows, actions, resources })
    }
}

/// IAM's wildcards: `*` for any run of characters, `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*' {
            p += 1;
            t += 1;
        } else if p < pattern.len() && pattern[p] == '*' {
            retry = Some((p, t));
            p += 1;
        } else if let Some((star, from)) = retry {
            retry = Some((star, from + 1));
            p = star + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policy(statements: Value) -> Policy {
        Policy::read(&json!([{ "Version": "2012-10-17", "Statement": statements }])).expect("a policy")
    }

    #[test]
    fn only_what_is_allowed_is_allowed() {
        let policy = policy(json!([{ "Effect": "Allow", "Action": ["dynamodb:GetItem"], "Resource": "arn:aws:t/A" }]));
        assert!(policy.allows("dynamodb:GetItem", "arn:aws:t/A"));
        assert!(!policy.allows("dynamodb:GetItem", "arn:aws:t/B"));
        assert!(!policy.allows("dynamodb:PutItem", "arn:aws:t/A"));
        assert!(!Policy::default().allows("dynamodb:GetItem", "arn:aws:t/A"));
    }

    #[test]
    fn wildcards_match_as_in_iam_and_denial_wins() {
        let policy = policy(json!([
            { "Effect": "Allow", "Action": "dynamodb:*Item", "Resource": "arn:aws:t/*" },
            { "Effect": "Deny", "Action": "dynamodb:DeleteItem", "Resource": "*" }
        ]));
        assert!(policy.allows("dynamodb:PutItem", "arn:aws:t/A/index/i"));
        assert!(!policy.allows("dynamodb:Query", "arn:aws:t/A"));
        assert!(!policy.allows("dynamodb:DeleteItem", "arn:aws:t/A"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for bad in [
            json!("AmazonDynamoDBFullAccess"),
            json!([{ "SQSPollerPolicy": { "QueueName": "q" } }]),
            json!([{ "Statement": [{ "Effect": "Perhaps", "Action": "a:b", "Resource": "*" }] }]),
            json!([{ "Statement": [{ "Effect": "Allow", "Action": "a:b", "Resource": "TableName" }] }]),
            json!([{ "Statement": [{ "Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": {} }] }]),
        ] {
            assert!(Policy::read(&bad).is_err(), "{bad}");
        }
    }
}
