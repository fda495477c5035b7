//! The accent colour, and variants of it that are readable as text.

/// The contrast that links need to their backgrounds. WCAG 2.2 asks for 4.5, and some backgrounds are tinted.
const CONTRAST: f64 = 5.2;

/// The backgrounds of the page in the light and the dark colour scheme.
const LIGHT: Colour = Colour([0xf5, 0xf6, 0xf8]);
const DARK: Colour = Colour([0x16, 0x1a, 0x21]);

/// A colour as red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Colour([u8; 3]);

impl Colour {
    /// Reads `#rgb` or `#rrggbb`.
    fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u8> = text
            .strip_prefix('#')?
            .chars()
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()?;
        match digits[..] {
            [r, g, b] => Some(Self([r * 17, g * 17, b * 17])),
            [r, s, g, h, b, c] => Some(Self([r * 16 + s, g * 16 + h, b * 16 + c])),
            _ => None,
        }
    }

    /// The relative luminance of WCAG 2.2.
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [r, g, b] = self.0.map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// This colour with so many twentieths of another.
    fn mixed(self, other: Self, twentieths: u16) -> Self {
        let mix = |i: usize| {
            let sum = u16::from(self.0[i]) * (20 - twentieths) + u16::from(other.0[i]) * twentieths;
            u8::try_from(sum / 20).unwrap_or(u8::MAX)
        };
        Self([mix(0), mix(1), mix(2)])
    }

    /// The nearest mixture with `towards` that is readable on a background.
    fn readable(self, background: Self, towards: Self) -> Self {
        let mixtures = (0..=20).map(|twentieths| self.mixed(towards, twentieths));
        mixtures.into_iter().find(|colour| colour.contrast(background) >= CONTRAST).unwrap_or(towards)
    }

    fn css(self) -> String {
        let [r, g, b] = self.0;
        format!("#{r:02x}{g:02x}{b:02x}")
    }
}

/// Why a text is not a colour. `None` if it is one.
pub(super) fn problem(text: &str) -> Option<String> {
    Colour::parse(text).is_none().then(|| format!("expected a colour such as `#0b7a75`, found {text:?}"))
}

/// The rules of CSS for an accent colour.
pub(crate) fn css(text: &str) -> Option<String> {
    let accent = Colour::parse(text)?;
    let light = accent.readable(LIGHT, Colour([0, 0, 0])).css();
    let dark = accent.readable(DARK, Colour([255, 255, 255])).css();
    let accent = accent.css();
    Some(format!(
        "body {{ border-top: 4px solid {accent}; }}\n:root {{ --link: {light}; }}\n\
         @media (prefers-color-scheme: dark) {{ :root {{ --link: {dark}; }} }}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_have_three_or_six_digits() {
        assert_eq!(Colour::parse("#0b7A75"), Some(Colour([0x0b, 0x7a, 0x75])));
        assert_eq!(Colour::parse("#f80"), Some(Colour([0xff, 0x88, 0x00])));
        for bad in ["", "#", "red", "0b7a75", "#12345", "#1234567", "#ggg", "#0b7a75;} body{"] {
            assert!(problem(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn links_are_readable_whatever_the_accent() {
        for accent in ["#ffff00", "#ffffff", "#000000", "#0b7a75", "#ff0000", "#123456"] {
            let accent = Colour::parse(accent).unwrap();
            assert!(accent.readable(LIGHT, Colour([0, 0, 0])).contrast(LIGHT) >= 4.5, "{accent:?}");
            assert!(accent.readable(DARK, Colour([255, 255, 255])).contrast(DARK) >= 4.5, "{accent:?}");
        }
        assert!((Colour([0, 0, 0]).contrast(Colour([255, 255, 255])) - 21.0).abs() < 1e-9);
        let css = css("#0b7a75").unwrap();
        assert!(css.contains("4px solid #0b7a75") && css.contains("--link: #0a736f"), "{css}");
    }
}
