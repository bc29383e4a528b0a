//! JSON on one line, spaced as Python's `json.dumps` does it: there are scripts that compare texts.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::error::Failure;

struct Python;

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

/// Writes a value as JSON.
///
/// # Errors
/// When the value cannot be written as JSON.
pub(super) fn dumps(value: &impl Serialize) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    value
        .serialize(&mut Serializer::with_formatter(&mut bytes, Python))
        .map_err(|error| Failure::new(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| Failure::new(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_spaced_as_python_does() {
        let value = serde_json::json!([{"name": "a", "version": "1"}, {"name": "b"}, []]);
        assert_eq!(dumps(&value).unwrap(), r#"[{"name": "a", "version": "1"}, {"name": "b"}, []]"#);
    }
}
