//! Numbers of a config with more digits than `f64` preserves. Settings that compare numbers get them as they were written.
//!
//! `serde_json::Value` cannot hold such a number, so it is an object with one key: `{"$checkup-number": "0.10000000000000000001"}`. Settings
//! get it if they request it by deserialising with [`deserialize`]. All others get the nearest `f64`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The key of the object.
pub const KEY: &str = "$checkup-number";

/// How many decimal digits survive conversion to `f64`, whatever their values.
const EXACT_DIGITS: usize = 15;

/// The absolute values for which that is certain. Larger ones look as if more digits might have been lost.
const EXACT_RANGE: std::ops::Range<f64> = 1e-290..9_007_199_254_740_992.0;

/// The text of a number that `f64` does not preserve, if the value is one.
pub fn text_of(value: &Value) -> Option<&str> {
    let Value::Object(entries) = value else { return None };
    match entries.len() {
        1 => entries.get(KEY)?.as_str().filter(|text| is_json_number(text)),
        _ => None,
    }
}

/// Whether the value is such a number, or has one in it.
pub fn is_in(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_in),
        Value::Object(entries) => text_of(value).is_some() || entries.values().any(is_in),
        _ => false,
    }
}

/// Reads a value in which numbers are as they were written.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    struct Exact;

    impl<'de> Visitor<'de> for Exact {
        type Value = Value;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a value")
        }

        fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
            Value::deserialize(deserializer)
        }
    }

    deserializer.deserialize_newtype_struct(KEY, Exact)
}

/// The value of a number with this text, in JSON notation. `None` if it is in another notation.
pub fn value_of(text: &str) -> Option<Value> {
    if !is_json_number(text) {
        return None;
    }
    Some(match (text.parse::<u64>(), text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(number), ..) => number.into(),
        (_, Ok(number), _) => number.into(),
        (.., Ok(number)) if is_preserved(text, number) => number.into(),
        _ => serde_json::json!({ KEY: text }),
    })
}

/// Whether a text may have a number in it that `f64` does not preserve.
pub fn may_be_in(text: &str) -> bool {
    let mut digits = 0;
    let is_long = |byte| {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'.' | b'_' => {}
            _ => digits = 0,
        }
        digits > EXACT_DIGITS
    };
    text.bytes().any(is_long)
        || text.as_bytes().windows(3).any(|part| {
            // `1e20`
            matches!(part, [b'0'..=b'9' | b'.', b'e' | b'E', b'0'..=b'9' | b'+' | b'-'])
        })
}

/// Whether conversion to this `f64` preserves the number.
fn is_preserved(text: &str, number: f64) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits = || mantissa.bytes().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0');
    let significant = digits().count();
    significant == 0 || (significant <= EXACT_DIGITS && EXACT_RANGE.contains(&number.abs()))
}

fn is_json_number(text: &str) -> bool {
    text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit())
        && serde_json::from_str::<&RawValue>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_a_json_number_if_that_preserves_it() {
        for (text, value) in [
            ("0", json!(0)),
            ("-5", json!(-5)),
            ("18446744073709551615", json!(u64::MAX)),
            ("0.25", json!(0.25)),
            ("-0.0", json!(-0.0)),
            ("123456789.012345", json!(123_456_789.012_345)),
            ("1e15", json!(1e15)),
        ] {
            assert_eq!(value_of(text), Some(value), "{text}");
        }
        for text in [
            "0.10000000000000000001",
            "18446744073709551616",
            "1e20",
            "1e400",
            "-1e-400",
            "0.30000000000000004",
            "1e-310",
        ] {
            let value = value_of(text).unwrap();
            assert_eq!(text_of(&value), Some(text));
        }
    }

    #[test]
    fn other_notations_and_objects_are_not_numbers() {
        for text in ["", "x", "01", "1.", ".5", "+1", "0x1", "1_000", "nan", "1 ", "\"1\"", "[1]", "-", "1e"] {
            assert_eq!(value_of(text), None, "{text}");
        }
        for value in [
            json!(1),
            json!("1"),
            json!({}),
            json!({ KEY: 1 }),
            json!({ KEY: "one" }),
            json!({ KEY: "1", "more": 1 }),
            json!({ "number": "1" }),
        ] {
            assert_eq!(text_of(&value), None, "{value}");
        }
    }

    #[test]
    fn a_long_number_is_noticed_wherever_it_is() {
        for text in
            ["a: 0.10000000000000000001", "[1.000000000000000,2]", "a = 1_234_567_890_123_456", "{a: 1e20}", "-1.E+3"]
        {
            assert!(may_be_in(text), "{text}");
        }
        for text in ["", "a: 0.25", "[123456789012345, 6]", "2026-11-25T10:00:00Z"] {
            assert!(!may_be_in(text), "{text}");
        }
    }
}
