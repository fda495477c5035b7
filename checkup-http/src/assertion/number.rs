//! [`JsonNumber`] and [`Decimal`]: numbers that are compared exactly.

use std::cmp::Ordering;
use std::fmt;

use checkup_core::exact_number;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Number, Value};

/// A number in JSON notation, of any size and precision.
///
/// In config files it is a number or a string. Where it is serialised, it is a string if it has more digits than JSON is certain to preserve.
///
/// ```
/// use checkup_http::JsonNumber;
///
/// assert_eq!(JsonNumber::from(0.25).as_str(), "0.25");
/// assert_eq!(JsonNumber::from("123456789012345678901234567890").as_str(), "123456789012345678901234567890");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct JsonNumber(Repr);

#[derive(Clone, PartialEq, Eq)]
enum Repr {
    Number(Number),
    Text(String),
}

/// The value of a number, in decimal: 0.DIGITS × 10^exponent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    is_negative: bool,
    /// The digits, without zeros at either end; empty for 0.
    digits: Vec<u8>,
    exponent: i64,
}

/// How many decimal digits survive conversion to `f64`, whatever their values.
const EXACT_DIGITS: usize = 15;

impl JsonNumber {
    /// Returns the number as text.
    pub fn as_str(&self) -> std::borrow::Cow<'_, str> {
        match &self.0 {
            Repr::Number(number) => number.to_string().into(),
            Repr::Text(text) => text.as_str().into(),
        }
    }
}

impl fmt::Display for JsonNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.as_str())
    }
}

impl fmt::Debug for JsonNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.as_str())
    }
}

impl From<&str> for JsonNumber {
    fn from(text: &str) -> Self {
        Self(Repr::Text(text.to_owned()))
    }
}

impl From<String> for JsonNumber {
    fn from(text: String) -> Self {
        Self(Repr::Text(text))
    }
}

impl From<f64> for JsonNumber {
    fn from(number: f64) -> Self {
        Self(Number::from_f64(number).map_or_else(|| Repr::Text(number.to_string()), Repr::Number))
    }
}

impl From<f32> for JsonNumber {
    /// The number as one writes it, such as 0.1, rather than the exact value of the nearest `f64`.
    fn from(number: f32) -> Self {
        Self(Repr::Text(number.to_string()))
    }
}

impl From<JsonNumber> for Value {
    /// The number as a JSON value, for [`JsonAssertion::equals`](crate::JsonAssertion::equals): it is compared exactly, however many digits it
    /// has.
    fn from(number: JsonNumber) -> Self {
        match number.0 {
            Repr::Number(number) => Self::Number(number),
            Repr::Text(text) => exact_number::value_of(&text).unwrap_or(Self::String(text)),
        }
    }
}

macro_rules! from_integers {
    ($($integer:ty)*) => {$(
        impl From<$integer> for JsonNumber {
            fn from(number: $integer) -> Self {
                Self(Repr::Number(number.into()))
            }
        }
    )*};
}

from_integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl Serialize for JsonNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Repr::Number(number) => number.serialize(serializer),
            Repr::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for JsonNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;

        impl<'de> Visitor<'de> for NumberVisitor {
            type Value = JsonNumber;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number such as 100, or \"0.25\" in quotes")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<JsonNumber, E> {
                Ok(number.into())
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<JsonNumber, E> {
                Ok(number.into())
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<JsonNumber, E> {
                if is_exact(number) {
                    return Ok(number.into());
                }
                Err(E::custom(format_args!(
                    "expected a number of at most 64 bits or {EXACT_DIGITS} digits, found one that was rounded to {number}; \
                     write it in quotes"
                )))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<JsonNumber, E> {
                Ok(text.into())
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<JsonNumber, D::Error> {
                deserializer.deserialize_any(self)
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<JsonNumber, A::Error> {
                let value = Value::deserialize(MapAccessDeserializer::new(entries))?;
                let number = exact_number::text_of(&value).map(JsonNumber::from);
                number.ok_or_else(|| de::Error::invalid_type(Unexpected::Map, &self))
            }
        }

        deserializer.deserialize_newtype_struct(exact_number::KEY, NumberVisitor)
    }
}

#[cfg(feature = "config")]
impl schemars::JsonSchema for JsonNumber {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "JsonNumber".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": ["number", "string"]})
    }

    fn inline_schema() -> bool {
        true
    }
}

impl Decimal {
    /// Reads a number in JSON notation (RFC 8259, section 6). `None` if the text is something else, or if the exponent is
    /// absurdly large.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (is_negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some((whole, fraction)) => (whole, fraction),
            None => (mantissa, ""),
        };
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || !all_digits(whole)
            || !all_digits(fraction)
            || (whole.len() > 1 && whole.starts_with('0'))
        {
            return None;
        }
        let mut digits = format!("{whole}{fraction}").into_bytes();
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..zeros);
        digits.truncate(digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1));
        let exponent = match exponent {
            Some(exponent) => {
                let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if unsigned.is_empty() || !all_digits(unsigned) {
                    return None;
                }
                // Zero is zero, whatever the exponent.
                if digits.is_empty() { 0 } else { exponent.parse::<i64>().ok()? }
            }
            None => 0,
        };
        if digits.is_empty() {
            return Some(Self { is_negative: false, digits, exponent: 0 });
        }
        let point = i64::try_from(whole.len()).ok()?.checked_sub(i64::try_from(zeros).ok()?)?;
        Some(Self { is_negative, digits, exponent: exponent.checked_add(point)? })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let magnitude = || (self.exponent, &self.digits).cmp(&(other.exponent, &other.digits));
        sign(self).cmp(&sign(other)).then_with(|| if self.is_negative { magnitude().reverse() } else { magnitude() })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Whether a number of a config is certain to have passed through `f64` unchanged, because it has no more digits than
/// `f64` preserves.
pub(crate) fn is_exact(number: f64) -> bool {
    let digits = Number::from_f64(number).and_then(|number| Decimal::parse(&number.to_string()));
    number.abs() < 9_007_199_254_740_992.0 && digits.is_some_and(|number| number.digits.len() <= EXACT_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cmp(left: &str, right: &str) -> Ordering {
        Decimal::parse(left).unwrap().cmp(&Decimal::parse(right).unwrap())
    }

    #[test]
    fn numbers_with_the_same_value_are_equal_however_they_are_written() {
        for (left, right) in [
            ("1", "1.0"),
            ("1e2", "100"),
            ("100", "1.00E+2"),
            ("0.1", "1e-1"),
            ("0", "-0.0"),
            ("0e99999999999999999999", "0"),
            ("1200e-2", "12"),
            ("0.00120", "12e-4"),
            ("123456789012345678901234567890", "1.2345678901234567890123456789e29"),
            ("1e400", "10e399"),
        ] {
            assert_eq!(cmp(left, right), Ordering::Equal, "{left} {right}");
        }
    }

    #[test]
    fn numbers_are_ordered_by_value() {
        for (less, more) in [
            ("9007199254740992", "9007199254740993"),
            ("18446744073709551616", "18446744073709551617"),
            ("0.3", "0.30000000000000004"),
            ("-1e400", "-1"),
            ("-2", "-1"),
            ("-1", "0"),
            ("0", "1e-400"),
            ("9", "10"),
            ("0.09", "0.1"),
            ("1e308", "1e309"),
            ("99999999999999999999", "1e20"),
        ] {
            assert_eq!(cmp(less, more), Ordering::Less, "{less} {more}");
            assert_eq!(cmp(more, less), Ordering::Greater, "{less} {more}");
        }
    }

    #[test]
    fn other_texts_are_not_numbers() {
        for text in [
            "",
            "-",
            "+1",
            "01",
            "1.",
            ".5",
            "1e",
            "1e+",
            "1e5.5",
            "0x1",
            "NaN",
            "1 ",
            "1_000",
            "--1",
            "1e99999999999999999999",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_of_a_config_is_never_rounded_silently() {
        let read = |text: &str| serde_json::from_str::<JsonNumber>(text).map(|number| number.to_string());
        for exact in ["1", "-5", "18446744073709551615", "-9223372036854775808", "0.25", "123456.789012345"] {
            assert_eq!(read(exact).unwrap(), exact);
        }
        for rounded in ["18446744073709551616", "0.30000000000000004", "123456789012345678901234567890", "1e300"] {
            let error = read(rounded).unwrap_err().to_string();
            assert!(error.contains("write it in quotes"), "{error}");
            assert_eq!(read(&format!("\"{rounded}\"")).unwrap(), rounded);
        }
        assert_eq!(JsonNumber::from(0.1_f32).to_string(), "0.1");
        assert_eq!(serde_json::to_string(&[JsonNumber::from(1), JsonNumber::from("1e400")]).unwrap(), "[1,\"1e400\"]");
    }
}
