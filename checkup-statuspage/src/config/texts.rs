//! The texts of the page: those of `web/english.js` and `web/german.json`, and custom ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The shipped texts: the language, and the module or file with the JSON object of its texts.
const TEXTS: &[(&str, &str)] = &[("en", include_str!("../../web/english.js")), ("de", GERMAN)];

/// The texts in German, which the page loads for those who prefer them.
pub(crate) const GERMAN: &str = include_str!("../../web/german.json");

/// The name of their file.
pub(crate) const GERMAN_FILE: &str = "german.json";

/// Texts by key.
pub(crate) type Words = BTreeMap<String, String>;

/// The maximum length of a text in characters.
const MAX_LENGTH: usize = 1000;

/// The endings of keys with a form for each kind of number, as in `Intl.PluralRules`.
const FORMS: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

static SHIPPED: LazyLock<BTreeMap<&str, Words>> =
    LazyLock::new(|| TEXTS.iter().map(|(tag, module)| (*tag, read(module))).collect());

/// The JSON object in a module of texts, or in a file with nothing else.
fn read(module: &str) -> Words {
    let object = module.split_once(" = ").map_or(module, |(_, rest)| rest.trim_end().trim_end_matches(';'));
    serde_json::from_str(object).unwrap_or_default()
}

/// The languages that the page has texts for.
pub(crate) fn shipped() -> impl Iterator<Item = &'static str> {
    TEXTS.iter().map(|(tag, _)| *tag)
}

/// The texts of a language: the custom ones, then the shipped ones, then English.
pub(crate) fn of(language: &str, custom: &BTreeMap<String, Words>) -> Words {
    let mut words = SHIPPED.get("en").cloned().unwrap_or_default();
    words.extend(SHIPPED.get(language).cloned().unwrap_or_default());
    words.extend(custom.get(language).cloned().unwrap_or_default());
    words
}

/// Whether a visitor who prefers these languages, as in `Accept-Language`, gets the page in German.
pub(crate) fn prefers_german(accepted: &str, custom: &BTreeMap<String, Words>) -> bool {
    let tags = accepted.split(',').filter_map(|tag| tag.split(';').next()).map(str::trim);
    let mut names = tags.flat_map(|tag| [tag.to_owned(), tag.split('-').next().unwrap_or_default().to_lowercase()]);
    names.find(|tag| custom.contains_key(tag) || shipped().any(|own| own == tag)).is_some_and(|tag| tag == "de")
}

/// The text of a key with its values. If there are several forms, the first value that is a number chooses.
pub(crate) fn say(words: &Words, key: &str, values: &[(&str, &str)]) -> String {
    let is_one = values.iter().any(|(name, value)| *name == "n" && *value == "1");
    let form = format!("{key}.{}", if is_one { "one" } else { "other" });
    let pattern = words.get(key).or_else(|| words.get(&form)).map_or(key, String::as_str);
    values.iter().fold(pattern.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// The problems of custom texts: languages, keys and values that do not exist, and texts that are too long.
pub(crate) fn problems(texts: &BTreeMap<String, Words>) -> Vec<String> {
    let english = &SHIPPED["en"];
    let mut problems = Vec::new();
    for (tag, words) in texts {
        let is_tag = (2..=20).contains(&tag.len()) && tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !is_tag {
            problems.push(format!("expected a language such as `fr` or `pt-BR`, found {tag:?}"));
        }
        for (key, text) in words {
            let Some(model) = model(english, key) else {
                problems.push(format!("{tag}.{key}: there is no text with this key; see `web/english.js`"));
                continue;
            };
            let unknown: Vec<_> = values(text).difference(&values(model)).cloned().collect();
            if !unknown.is_empty() {
                problems
                    .push(format!("{tag}.{key}: {} has no value; the English text is {model:?}", unknown.join(", ")));
            }
            let length = text.chars().count();
            if text.trim().is_empty() || length > MAX_LENGTH {
                problems.push(format!("{tag}.{key}: expected from 1 to {MAX_LENGTH} characters, found {length}"));
            }
        }
    }
    problems
}

/// The English text of a key. A form for numbers that English does not have is like the others.
fn model<'a>(english: &'a Words, key: &str) -> Option<&'a String> {
    english.get(key).or_else(|| {
        let (base, form) = key.rsplit_once('.')?;
        if FORMS.contains(&form) { english.get(&format!("{base}.other")) } else { None }
    })
}

/// The values that a text has: `{name}`.
fn values(text: &str) -> BTreeSet<String> {
    let parts = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
    parts.map(|(name, _)| format!("{{{name}}}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_all_texts_with_the_same_values() {
        let english = &SHIPPED["en"];
        assert!(english.len() > 100, "{}", english.len());
        for (tag, words) in SHIPPED.iter() {
            assert!(words.keys().eq(english.keys()), "{tag}");
            for (key, text) in words {
                assert_eq!(values(text), values(&english[key]), "{tag}.{key}");
                assert!(!text.is_empty(), "{tag}.{key}");
            }
        }
    }

    #[test]
    fn german_is_for_those_who_prefer_it_to_other_languages_of_the_page() {
        let french: BTreeMap<String, Words> = [("fr".to_owned(), Words::new())].into();
        for (accepted, expected) in [
            ("de", true),
            ("de-AT,de;q=0.9,en;q=0.8", true),
            ("fr-CA, de;q=0.5", false),
            ("es, de-CH;q=0.5", true),
            ("en-US,de", false),
            ("", false),
            ("*", false),
            ("ä;q=;,,-", false),
        ] {
            assert_eq!(prefers_german(accepted, &french), expected, "{accepted}");
        }
    }

    #[test]
    fn all_problems_of_custom_texts_are_found() {
        let words = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let texts = [
            ("fr".to_owned(), words(&[("history", "Historique"), ("historie", "x"), ("ago", "il y a {temps}")])),
            ("pl".to_owned(), words(&[("unread.few", "{n} pliki"), ("unread.most", "x"), ("feed", " ")])),
            ("c/d".to_owned(), words(&[])),
        ];
        let found = problems(&texts.into());
        let expected = [
            "expected a language such as `fr` or `pt-BR`, found \"c/d\"",
            "fr.ago: {temps} has no value; the English text is \"{length} ago\"",
            "fr.historie: there is no text with this key; see `web/english.js`",
            "pl.feed: expected from 1 to 1000 characters, found 1",
            "pl.unread.most: there is no text with this key; see `web/english.js`",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn custom_texts_come_before_shipped_ones_and_english_is_last() {
        let custom = [("de".to_owned(), [("history".to_owned(), "Früher".to_owned())].into())].into();
        let words = of("de", &custom);
        assert_eq!(words["history"], "Früher");
        assert_eq!(say(&words, "some_down", &[("n", "1"), ("total", "12")]), "Teilausfall: 1 von 12 ausgefallen");
        assert_eq!(
            say(&of("fr", &custom), "unread", &[("n", "1")]),
            "1 file could not be read. Its results are missing here."
        );
    }
}
