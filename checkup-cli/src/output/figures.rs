//! Numbers for people.

/// `38,880`
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 check file`, `38,880 check files`
pub(crate) fn count(number: usize, what: &str) -> String {
    format!("{} {what}{}", thousands(number), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_grouped() {
        let texts = [0, 999, 1_000, 38_880, 1_234_567].map(thousands);
        assert_eq!(texts, ["0", "999", "1,000", "38,880", "1,234,567"]);
        assert_eq!([0, 1, 2_000].map(|number| count(number, "file")), ["0 files", "1 file", "2,000 files"]);
    }
}
