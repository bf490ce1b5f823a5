//! The template's parameters: what they are here, and whether CloudFormation would take it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::intrinsics::text;
use super::{Settings, TemplateError};

/// Every parameter's value: given, suggested, or its default.
pub fn read(declared: &Map<String, Value>, settings: &Settings) -> Result<BTreeMap<String, Value>, TemplateError> {
    let given = &settings.parameters;
    if let Some(unknown) = given.keys().find(|name| !declared.contains_key(*name)) {
        return Err(TemplateError::at("Parameters", format!("there is no parameter {unknown}")));
    }
    let mut values = BTreeMap::new();
    for (name, declaration) in declared {
        let place = format!("Parameters.{name}");
        let value = match given.get(name).or_else(|| settings.suggestions.get(name)) {
            Some(value) => Value::String(value.clone()),
            None => declaration
                .get("Default")
                .cloned()
                .ok_or_else(|| TemplateError::at(&place, "has no default and was given no value"))?,
        };
        check(declaration, &text(&value)).map_err(|problem| TemplateError::at(&place, problem))?;
        values.insert(name.clone(), value);
    }
    Ok(values)
}

/// CloudFormation's own checks, with the template's sentence where it has one.
fn check(declaration: &Value, value: &str) -> Result<(), String> {
    let said = declaration.get("ConstraintDescription").and_then(Value::as_str);
    let refused = |problem: String| match said {
        Some(said) => Err(format!("{value:?} {said}")),
        None => Err(format!("{value:?} {problem}")),
    };
    if let Some(allowed) = declaration.get("AllowedValues").and_then(Value::as_array) {
        let allowed: Vec<_> = allowed.iter().map(text).collect();
        if !allowed.iter().any(|allowed| allowed == value) {
            return refused(format!("is not one of its allowed values: {}", allowed.join(", ")));
        }
    }
    if let Some(pattern) = declaration.get("AllowedPattern").and_then(Value::as_str) {
        let whole = regex::Regex::new(&format!("^(?:{pattern})$"));
        let whole = whole.map_err(|error| format!("has an AllowedPattern that can't be read: {error}"))?;
        if !whole.is_match(value) {
            return refused(format!("does not match {pattern}"));
        }
    }
    if declaration.get("Type").and_then(Value::as_str) == Some("Number") {
        let Ok(number) = value.parse::<f64>() else { return refused("is not a number".to_owned()) };
        return within(declaration, ["MinValue", "MaxValue"], number).or_else(refused);
    }
    within(declaration, ["MinLength", "MaxLength"], value.chars().count() as f64).or_else(refused)
}

fn within(declaration: &Value, [least, most]: [&str; 2], size: f64) -> Result<(), String> {
    let limit = |name: &str| declaration.get(name).and_then(|limit| text(limit).parse::<f64>().ok());
    match (limit(least), limit(most)) {
        (Some(limit), _) if size < limit => Err(format!("is below its {least}, {limit}")),
        (_, Some(limit)) if size > limit => Err(format!("is above its {most}, {limit}")),
        _ => Ok(()),
    }
}
