//! [`Text`]: a text from the settings that failures may quote.

use std::fmt;

use checkup_core::Sourced;

/// A text from the settings. It is shown with `[redacted]` in place of values that came from the environment.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    value: String,
    /// `None` if it is shown unchanged.
    shown: Option<Box<str>>,
}

impl Text {
    /// Makes the text. Must be called while the settings are read, because only then are their variables known.
    pub(crate) fn new(value: impl Into<String>) -> Self {
        let value = value.into();
        let shown = shown(&value);
        Self { shown: (shown != value).then(|| shown.into()), value }
    }

    /// The text itself.
    pub(crate) fn as_str(&self) -> &str {
        &self.value
    }

    /// The text as it may be shown.
    pub(crate) fn shown(&self) -> &str {
        self.shown.as_deref().unwrap_or(&self.value)
    }
}

/// A part of a rule that may hold values from the environment, and shows nothing in `Debug`.
pub(crate) struct Hidden<T>(pub(crate) T);

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.shown(), f)
    }
}

/// Formats a text as it may be shown. Must be called while the settings are read.
pub(crate) fn shown(text: &str) -> String {
    Sourced::of_settings(text).redacted()
}
