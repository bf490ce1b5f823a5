//! The fields of a form: held to v1.1's limits (docs/REFERENCE.md, 3), and kept as they came, but for nulls.
//!
//! Says nothing of what a person fills in: no channel served so far can carry a form.

use serde_json::Value;

use crate::model::ApiError;
use crate::model::check;

const LABEL_LIMIT: usize = 128;
const SIZE_LIMIT: i64 = 256;
const FIELDS: std::ops::RangeInclusive<usize> = 1..=20;
const OPTIONS: std::ops::RangeInclusive<usize> = 1..=20;

/// The fields without what is `null`, which counts as left out.
///
/// # Errors
/// Names the field of the form and what it must be.
pub fn fields(path: &str, mut fields: Vec<Value>) -> Result<Vec<Value>, ApiError> {
    for field in fields.iter_mut().filter_map(Value::as_object_mut) {
        field.retain(|_, value| !value.is_null());
    }
    check(path, &fields)?;
    Ok(fields)
}

fn check(path: &str, fields: &[Value]) -> Result<(), ApiError> {
    if !FIELDS.contains(&fields.len()) || !fields.iter().all(Value::is_object) {
        return Err(ApiError::field(path, "must hold 1 to 20 field objects"));
    }
    (0..).zip(fields).try_for_each(|(index, field): (usize, _)| check_field(&format!("{path}[{index}]"), field))
}

fn check_field(path: &str, field: &Value) -> Result<(), ApiError> {
    let place = |name: &str| format!("{path}.{name}");
    field.as_object().map_or(Ok(()), |field| check::storable(path, field))?;
    if !matches!(field["type"].as_str(), Some("text" | "email" | "select")) {
        return Err(ApiError::field(&place("type"), "must be text, email or select"));
    }
    label(&place("name"), &field["name"])?;
    label(&place("label"), &field["label"])?;
    match &field["placeholder"] {
        Value::Null => {}
        Value::String(text) => drop(check::within(&place("placeholder"), text.clone(), LABEL_LIMIT)?),
        _ => return Err(ApiError::field(&place("placeholder"), "must be a string")),
    }
    for name in ["minSize", "maxSize"] {
        let is_size = |size: f64| size.fract() == 0.0 && (1.0..=SIZE_LIMIT as f64).contains(&size);
        if !field[name].is_null() && !field[name].as_f64().is_some_and(is_size) {
            return Err(ApiError::field(&place(name), format!("must be a whole number from 1 to {SIZE_LIMIT}")));
        }
    }
    match &field["options"] {
        Value::Null => Ok(()),
        Value::Array(options) if OPTIONS.contains(&options.len()) => {
            (0..).zip(options).try_for_each(|(index, option): (usize, _)| {
                label(&format!("{path}.options[{index}].name"), &option["name"])?;
                label(&format!("{path}.options[{index}].label"), &option["label"])
            })
        }
        _ => Err(ApiError::field(&place("options"), "must hold 1 to 20 objects with name and label")),
    }
}

fn label(path: &str, value: &Value) -> Result<(), ApiError> {
    let text = value.as_str().ok_or_else(|| ApiError::field(path, "is required, and must be a string"))?;
    check::text(path, text.to_owned(), LABEL_LIMIT).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_within_the_limits_are_taken() {
        let fields = [
            json!({ "type": "text", "name": "a", "label": "A", "placeholder": "", "minSize": 1, "maxSize": 256 }),
            json!({ "type": "email", "name": "b", "label": "B" }),
            json!({ "type": "select", "name": "c", "label": "C", "options": [{ "name": "x", "label": "X" }] }),
        ];
        assert_eq!(super::fields("message.fields", fields.to_vec()), Ok(fields.to_vec()));
    }

    #[test]
    fn what_is_null_is_left_out() {
        let field = json!({ "type": "email", "name": "b", "label": "B", "placeholder": null, "options": null });
        let kept = json!({ "type": "email", "name": "b", "label": "B" });
        assert_eq!(super::fields("message.fields", vec![field]), Ok(vec![kept]));
    }

    #[test]
    fn a_refusal_names_the_field_of_the_form() {
        let cases = [
            (json!({ "type": "date", "name": "a", "label": "A" }), "message.fields[0].type"),
            (json!({ "type": "text", "label": "A" }), "message.fields[0].name"),
            (json!({ "type": "text", "name": "a", "label": "\u{c}" }), "message.fields[0].label"),
            (json!({ "type": "text", "name": "a", "label": "A", "placeholder": 7 }), "message.fields[0].placeholder"),
            (json!({ "type": "text", "name": "a", "label": "A", "maxSize": 257 }), "message.fields[0].maxSize"),
            (json!({ "type": "text", "name": "a", "label": "A", "minSize": 1.5 }), "message.fields[0].minSize"),
            (json!({ "type": "select", "name": "a", "label": "A", "options": [] }), "message.fields[0].options"),
            (
                json!({ "type": "text", "name": "a", "label": "A", "options": [{ "name": "x", "label": "\u{c}" }] }),
                "message.fields[0].options[0].label",
            ),
        ];
        for (field, path) in cases {
            let refusal = check("message.fields", &[field]).unwrap_err();
            assert!(refusal.description.starts_with(path), "{}", refusal.description);
        }
        assert!(check("message.fields", &[]).is_err());
    }
}
