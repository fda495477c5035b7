//! The files that settings name: a style, and texts.

use std::collections::BTreeMap;
use std::path::Path;

use checkup_core::ConfigError;

use super::StatusPage;
use super::texts::{self, Words};

/// The maximum size of a file in bytes.
const MAX_FILE: u64 = 256 * 1024;

/// What was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    /// The custom CSS.
    pub(crate) style: String,
    /// The custom texts by language.
    pub(crate) texts: BTreeMap<String, Words>,
}

impl Files {
    /// Reads the files, and checks what is in them.
    ///
    /// # Errors
    ///
    /// All problems, each with its key and a remedy.
    pub(crate) fn read(settings: &StatusPage) -> Result<Self, ConfigError> {
        let mut problems: Option<ConfigError> = None;
        let mut report = |key: &str, problem: String| {
            let problem = ConfigError::invalid(key, problem);
            match &mut problems {
                Some(all) => all.extend(problem),
                None => problems = Some(problem),
            }
        };
        let mut files = Self::default();
        if let Some(path) = &settings.style {
            match content(path).and_then(style) {
                Ok(style) => files.style = style,
                Err(problem) => report("style", format!("{}: {problem}", path.display())),
            }
        }
        let mut has_texts = true;
        if let Some(path) = &settings.texts {
            match content(path).and_then(|text| texts_of(&text)) {
                Ok(texts) => {
                    for problem in texts::problems(&texts) {
                        report("texts", format!("{}: {problem}", path.display()));
                    }
                    files.texts = texts;
                }
                Err(problem) => {
                    has_texts = false;
                    report("texts", format!("{}: {problem}", path.display()));
                }
            }
        }
        if let Some(language) = settings.language.as_ref().filter(|_| has_texts) {
            let mut known: Vec<&str> = texts::shipped().collect();
            known.extend(files.texts.keys().map(String::as_str));
            if !known.contains(&language.as_str()) {
                let expected = known.join(", ");
                let remedy = "add the language to the file of `texts`";
                report("language", format!("expected one of {expected}, found {language:?}; {remedy}"));
            }
        }
        problems.map_or(Ok(files), Err)
    }
}

fn content(path: &Path) -> Result<String, String> {
    let unreadable = |error: std::io::Error| format!("the file cannot be read: {error}");
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > MAX_FILE {
        return Err(format!("expected a file of at most 256 KiB, found {size} bytes"));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

fn style(text: String) -> Result<String, String> {
    // The style is part of the page, where this would end it.
    if text.to_ascii_lowercase().contains("</style") {
        return Err("expected CSS without `</style`".to_owned());
    }
    Ok(text)
}

fn texts_of(text: &str) -> Result<BTreeMap<String, Words>, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("expected an object of languages with objects of texts: {error}"))
}
