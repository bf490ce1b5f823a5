//! Function URLs: a function's own address, without an API in front. AWS makes the address up; here it is whatever
//! listens, which must be known before the rest of the template can be read.

use serde_json::Value;

use super::functions::function_name;
use super::intrinsics::function_arn;
use super::resources::Resource;
use super::{FunctionUrl, Stack, TemplateError, yaml};

/// The logical ids of all function URLs that the template may have, whatever its conditions.
///
/// # Errors
/// When the text is not YAML.
pub fn function_url_ids(text: &str) -> Result<Vec<String>, TemplateError> {
    let document = yaml::read(text).map_err(|e| TemplateError::at("template", e))?;
    let resources = document.get("Resources").and_then(Value::as_object);
    let urls = resources.into_iter().flatten().filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Url");
    Ok(urls.map(|(id, _)| id.clone()).collect())
}

pub fn function_url(resource: &Resource, all: &[Resource], stack: &Stack) -> Result<FunctionUrl, TemplateError> {
    for (property, played) in [("AuthType", "NONE"), ("InvokeMode", "BUFFERED")] {
        let value = resource.properties.get(property).and_then(Value::as_str).unwrap_or("BUFFERED");
        if value != played {
            return Err(TemplateError::at(
                &resource.place(property),
                format!("only {played} is played on this machine"),
            ));
        }
    }
    if resource.properties.get("Cors").is_some() {
        return Err(TemplateError::at(&resource.place("Cors"), "is not played on this machine"));
    }
    let target = resource.properties["TargetFunctionArn"].as_str().unwrap_or_default();
    let named = |id: &str| function_name(id, all) == target || function_arn(function_name(id, all)) == target;
    let function = stack.functions.values().find(|function| named(&function.logical_id)).ok_or_else(|| {
        TemplateError::at(&resource.place("TargetFunctionArn"), format!("{target:?} is no function here"))
    })?;
    let name = function_name(&function.logical_id, all);
    Ok(FunctionUrl { id: resource.id.clone(), function: function.name.clone(), is_public: is_public(name, all) })
}

/// AWS lets strangers in by two statements; with one of them alone it answers 403.
fn is_public(function: &str, all: &[Resource]) -> bool {
    let allows = |action: &str, condition: &str, value: Value| {
        all.iter().filter(|resource| resource.kind == "AWS::Lambda::Permission").any(|permission| {
            let properties = &permission.properties;
            properties["FunctionName"] == function
                && properties["Principal"] == "*"
                && properties["Action"] == action
                && properties[condition] == value
        })
    };
    allows("lambda:InvokeFunctionUrl", "FunctionUrlAuthType", "NONE".into())
        && allows("lambda:InvokeFunction", "InvokedViaFunctionUrl", true.into())
}
