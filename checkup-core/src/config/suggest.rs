//! Suggestions for misspelt names.

/// Names that other programs use, and ours for the same thing.
const OTHER_WORDS: [(&str, &str); 19] = [
    ("address", "endpoint_url"),
    ("alerting", "notifiers"),
    ("alerts", "notifiers"),
    ("checks", "checkers"),
    ("endpoints", "checkers"),
    ("every", "interval"),
    ("expected_status", "up_status"),
    ("frequency", "interval"),
    ("host", "endpoint_url"),
    ("labels", "tags"),
    ("monitors", "checkers"),
    ("period", "interval"),
    ("services", "checkers"),
    ("sites", "checkers"),
    ("status", "up_status"),
    ("status_code", "up_status"),
    ("target", "endpoint_url"),
    ("uri", "endpoint_url"),
    ("url", "endpoint_url"),
];

/// The candidate most similar to `found`, if it is similar enough for a typo.
pub fn closest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found = found.to_lowercase();
    let candidates: Vec<_> = candidates.into_iter().collect();
    let word = OTHER_WORDS.iter().find(|(word, _)| *word == found).map(|(_, ours)| *ours);
    if let Some(ours) = candidates.iter().find(|candidate| Some(**candidate) == word) {
        return Some(ours);
    }
    candidates
        .into_iter()
        .map(|candidate| {
            // A part of a longer name (`url` for `endpoint_url`) is a likely mistake that edit distance does not recognise.
            let contained = found.len() >= 3 && (candidate.contains(&found) || found.contains(candidate));
            let likeness = strsim::normalized_damerau_levenshtein(&found, &candidate.to_lowercase());
            (if contained { 0.6 + 0.4 * likeness } else { likeness }, candidate)
        })
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// `; did you mean `x`?` or nothing.
pub fn did_you_mean<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    closest(found, candidates).map_or(String::new(), |candidate| format!("; did you mean `{candidate}`?"))
}

/// `a, b, c`, each in backquotes.
pub fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_are_recognised_and_other_words_are_not() {
        let keys = ["endpoint_url", "threshold_rtt", "attempts"];
        assert_eq!(closest("treshold_rtt", keys), Some("threshold_rtt"));
        assert_eq!(closest("atempts", keys), Some("attempts"));
        assert_eq!(closest("Attempts", keys), Some("attempts"));
        assert_eq!(closest("url", keys), Some("endpoint_url"));
        assert_eq!(closest("endpoint", ["endpoint_url", "endpoint_name"]), Some("endpoint_url"));
        assert_eq!(closest("colour", keys), None);
    }
}
