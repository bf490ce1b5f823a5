//! Roles that a template writes out itself, in place of those that SAM would make: what they allow, and whether Lambda may
//! take them on. Only policies of the same template are understood.

use serde_json::Value;

use super::intrinsics::{policy_arn, role_arn};
use super::resources::Resource;
use super::{Policy, TemplateError};

/// What a function of this role may do.
///
/// # Errors
/// At `place`, a role that is not there; at the role, what in it is not understood.
pub fn policy(arn: &str, all: &[Resource], place: &str) -> Result<Policy, TemplateError> {
    let role = find(all, "AWS::IAM::Role", |id| role_arn(id) == arn)
        .ok_or_else(|| TemplateError::at(place, format!("{arn} is no role here")))?;
    if !is_for_lambda(&role.properties["AssumeRolePolicyDocument"]) {
        return Err(TemplateError::at(&role.place("AssumeRolePolicyDocument"), "does not let Lambda take the role on"));
    }
    let own = list(&role.properties["Policies"]).map(|policy| Ok(policy["PolicyDocument"].clone()));
    let shared = list(&role.properties["ManagedPolicyArns"]).map(|arn| {
        let arn = arn.as_str().unwrap_or_default();
        let policy = find(all, "AWS::IAM::ManagedPolicy", |id| policy_arn(id) == arn)
            .ok_or_else(|| TemplateError::at(&role.place("ManagedPolicyArns"), format!("{arn:?} is no policy here")))?;
        Ok(policy.properties["PolicyDocument"].clone())
    });
    let documents = own.chain(shared).collect::<Result<Vec<_>, TemplateError>>()?;
    Policy::read(&Value::Array(documents)).map_err(|e| TemplateError::at(&role.place("Policies"), e))
}

fn find<'a>(all: &'a [Resource], kind: &str, is_it: impl Fn(&str) -> bool) -> Option<&'a Resource> {
    all.iter().find(|resource| resource.kind == kind && is_it(&resource.id))
}

fn is_for_lambda(trust: &Value) -> bool {
    list(&trust["Statement"]).any(|statement| {
        statement["Effect"] == "Allow"
            && statement["Action"] == "sts:AssumeRole"
            && statement["Principal"]["Service"] == "lambda.amazonaws.com"
    })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
