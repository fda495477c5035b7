//! Suggestions for misspelt names.

/// Names that other programs use, each with ours for the same thing. Of several, the one counts that the object can have.
const OTHER_WORDS: [(&str, &str); 138] = [
    ("accepted_statuscodes", "up_status"),
    ("addr", "endpoint_url"),
    ("address", "endpoint_url"),
    ("alert", "notifiers"),
    ("alerting", "notifiers"),
    ("alerts", "notifiers"),
    ("args", "arguments"),
    ("body_contains", "must_contain"),
    ("category", "group"),
    ("checks", "checkers"),
    ("cmd", "command"),
    ("concurrency", "concurrent_checks"),
    ("contains", "must_contain"),
    ("content", "must_contain"),
    ("cron", "interval"),
    ("cwd", "directory"),
    ("data", "body"),
    ("database", "storage"),
    ("dependencies", "depends_on"),
    ("depends", "depends_on"),
    ("description", "endpoint_name"),
    ("dir", "directory"),
    ("directory", "dir"),
    ("display_name", "endpoint_name"),
    ("dns_name", "hostname_fqdn"),
    ("dns_resolve_type", "record_type"),
    ("domain", "hostname_fqdn"),
    ("endpoints", "checkers"),
    ("env", "environment"),
    ("every", "interval"),
    ("expect_body", "must_contain"),
    ("expected", "expect"),
    ("expected_body", "must_contain"),
    ("expected_code", "up_status"),
    ("expected_status", "up_status"),
    ("expected_status_code", "up_status"),
    ("expected_statuses", "up_status"),
    ("expiry", "check_expiry"),
    ("fail_if_body_not_matches_regexp", "must_match"),
    ("failure_threshold", "retries"),
    ("folder", "dir"),
    ("folder", "group"),
    ("frequency", "interval"),
    ("header", "headers"),
    ("host", "endpoint_url"),
    ("hostname", "hostname_fqdn"),
    ("hosts", "checkers"),
    ("http_headers", "headers"),
    ("id", "endpoint_name"),
    ("ignore_tls", "tls"),
    ("insecure", "tls"),
    ("insecure_skip_verify", "tls"),
    ("interval_seconds", "interval"),
    ("invert_keyword", "must_not_contain"),
    ("jobs", "checkers"),
    ("keyword", "must_contain"),
    ("label", "endpoint_name"),
    ("labels", "tags"),
    ("latency", "threshold_rtt"),
    ("max_age", "check_expiry"),
    ("max_concurrency", "concurrent_checks"),
    ("max_redirects", "follow_redirects"),
    ("max_response_time", "threshold_rtt"),
    ("max_retries", "retries"),
    ("maxredirects", "follow_redirects"),
    ("maxretries", "retries"),
    ("monitors", "checkers"),
    ("nameserver", "endpoint_url"),
    ("node", "location"),
    ("not_contains", "must_not_contain"),
    ("notifications", "notifiers"),
    ("notify", "notifiers"),
    ("page", "status_page"),
    ("parallel", "concurrent_checks"),
    ("parent", "depends_on"),
    ("parents", "depends_on"),
    ("path", "dir"),
    ("pattern", "must_match"),
    ("payload", "body"),
    ("period", "interval"),
    ("persistence", "storage"),
    ("port", "endpoint_url"),
    ("probes", "checkers"),
    ("qtype", "record_type"),
    ("query_name", "hostname_fqdn"),
    ("query_response", "expect"),
    ("query_type", "record_type"),
    ("redirects", "follow_redirects"),
    ("regex", "must_match"),
    ("regexp", "must_match"),
    ("region", "location"),
    ("request_headers", "headers"),
    ("requires", "depends_on"),
    ("resolver", "endpoint_url"),
    ("response", "expect"),
    ("response_time", "threshold_rtt"),
    ("retention", "check_expiry"),
    ("retry", "retries"),
    ("retry_delay", "retry_spacing"),
    ("retry_interval", "retry_spacing"),
    ("retryinterval", "retry_spacing"),
    ("rrtype", "record_type"),
    ("schedule", "interval"),
    ("scrape_configs", "checkers"),
    ("scrape_interval", "interval"),
    ("script", "command"),
    ("section", "group"),
    ("server", "endpoint_url"),
    ("services", "checkers"),
    ("site", "location"),
    ("sites", "checkers"),
    ("skip_verify", "tls"),
    ("slow", "threshold_rtt"),
    ("ssl", "tls"),
    ("status", "up_status"),
    ("status_code", "up_status"),
    ("status_codes", "up_status"),
    ("statuspage", "status_page"),
    ("store", "storage"),
    ("tag", "tags"),
    ("target", "endpoint_url"),
    ("targets", "checkers"),
    ("targets", "endpoint_url"),
    ("tests", "checkers"),
    ("threshold", "threshold_rtt"),
    ("title", "endpoint_name"),
    ("tls_config", "tls"),
    ("ttl", "check_expiry"),
    ("ui", "status_page"),
    ("uri", "endpoint_url"),
    ("url", "endpoint_url"),
    ("urls", "checkers"),
    ("valid_status_codes", "up_status"),
    ("verb", "method"),
    ("verify", "tls"),
    ("verify_ssl", "tls"),
    ("workers", "concurrent_checks"),
    ("working_directory", "directory"),
];

/// The candidate most similar to `found`, if it is similar enough for a typo.
pub fn closest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let found = found.to_lowercase();
    let candidates: Vec<_> = candidates.into_iter().collect();
    let word = found.replace('-', "_");
    let mut words = OTHER_WORDS.iter().filter(|(other, _)| *other == word).map(|(_, ours)| *ours);
    if let Some(ours) = words.find_map(|ours| candidates.iter().find(|candidate| **candidate == ours)) {
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
        // Ours is suggested only where it is a key.
        assert_eq!(closest("status-code", ["up_status", "tags"]), Some("up_status"));
        assert_eq!(closest("targets", ["checkers", "storage"]), Some("checkers"));
        assert_eq!(closest("targets", keys), Some("endpoint_url"));
    }
}
