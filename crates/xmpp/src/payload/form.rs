//! Data forms (XEP-0004): fields with values, read from requests and written for answers.

use super::{bad_request, not_acceptable, ns};
use crate::{element::Element, encode, fault::StanzaCondition};

/// Fields of one submitted form.
pub const FORM_FIELDS_MAX: usize = 100;

/// Values of one field.
pub const FORM_VALUES_MAX: usize = 500;

/// A form that a client has filled in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Form {
    /// The fields in order; names are unique.
    pub fields: Vec<Field>,
}

/// One field of a submitted form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// The name.
    pub var: Box<str>,
    /// The values, none for a field that was left empty.
    pub values: Vec<Box<str>>,
}

/// Reads an `<x xmlns='jabber:x:data' type='submit'/>`.
pub(crate) fn read(form: &Element) -> Result<Form, StanzaCondition> {
    if form.attribute("type") != Some("submit") {
        return Err(bad_request());
    }
    let mut fields: Vec<Field> = Vec::new();
    let in_form = |child: &&Element| child.namespace() == ns::FORM;
    for field in form.children().filter(in_form).filter(|child| child.name() == "field") {
        // XEP-0004 §3.2: every field but a fixed one has a name, and no name comes twice.
        let Some(var) = field.attribute("var") else {
            if field.attribute("type") == Some("fixed") {
                continue;
            }
            return Err(bad_request());
        };
        if fields.iter().any(|known| *known.var == *var) {
            return Err(bad_request());
        }
        let mut values = Vec::new();
        for value in field.children().filter(in_form).filter(|child| child.name() == "value") {
            if values.len() == FORM_VALUES_MAX {
                return Err(not_acceptable());
            }
            values.push(value.text_content().into());
        }
        if fields.len() == FORM_FIELDS_MAX {
            return Err(not_acceptable());
        }
        fields.push(Field { var: var.into(), values });
    }
    Ok(Form { fields })
}

impl Field {
    /// The value of a field that can have one only.
    pub(crate) fn single(&self) -> Result<&str, StanzaCondition> {
        match self.values.as_slice() {
            [value] => Ok(value),
            _ => Err(bad_request()),
        }
    }
}

/// Appends `<x xmlns='jabber:x:data' type='kind'>` with its hidden `FORM_TYPE` (XEP-0068), then the
/// fields, then the end.
pub fn write(out: &mut Vec<u8>, kind: &str, form_type: &str, fields: impl FnOnce(&mut Vec<u8>)) {
    encode::open(out, "x", ns::FORM);
    encode::attribute(out, "type", kind);
    out.push(b'>');
    write_field(out, "FORM_TYPE", "hidden", [form_type]);
    fields(out);
    encode::close(out, "x");
}

/// Appends one field with its values.
pub fn write_field<'a>(
    out: &mut Vec<u8>,
    var: &str,
    kind: &str,
    values: impl IntoIterator<Item = &'a str>,
) {
    out.extend_from_slice(b"<field");
    encode::attribute(out, "type", kind);
    encode::attribute(out, "var", var);
    out.push(b'>');
    for value in values {
        encode::text_element(out, "value", value);
    }
    encode::close(out, "field");
}
