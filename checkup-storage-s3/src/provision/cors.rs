//! CORS: which pages may read the public files.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{CorsConfiguration, CorsRule};
use serde_json::{Value, json};

/// The headers that a page reads: the version of a file, and the server's clock.
const EXPOSED: [&str; 2] = ["ETag", "Date"];

/// How many seconds a browser remembers the answer to a preflight request.
const MAX_AGE: i32 = 3600;

/// The rule that lets pages of these origins read, or pages of all origins if none is given.
pub(super) fn rule(id: &str, origins: &[String]) -> Result<CorsRule, BuildError> {
    let origins = if origins.is_empty() { vec!["*".to_owned()] } else { origins.to_vec() };
    CorsRule::builder()
        .id(id)
        .set_allowed_origins(Some(origins))
        .set_allowed_methods(Some(texts(&["GET", "HEAD"])))
        .set_allowed_headers(Some(texts(&["*"])))
        .set_expose_headers(Some(texts(&EXPOSED)))
        .max_age_seconds(MAX_AGE)
        .build()
}

/// Adds our rule to the rules; `None` if it already exists. Other people's rules stay before it, since the first rule that
/// matches a request applies.
pub(super) fn merge(mut rules: Vec<CorsRule>, ours: &CorsRule) -> Option<Vec<CorsRule>> {
    // Some servers do not keep the id.
    if rules.iter().any(|rule| is_same(rule, ours)) {
        return None;
    }
    match rules.iter_mut().find(|rule| rule.id() == ours.id()) {
        Some(rule) => rule.clone_from(ours),
        None => rules.push(ours.clone()),
    }
    Some(rules)
}

pub(super) fn configuration(rules: Vec<CorsRule>) -> Result<CorsConfiguration, BuildError> {
    CorsConfiguration::builder().set_cors_rules(Some(rules)).build()
}

/// The rule as the AWS command line writes it.
pub(super) fn document(rule: &CorsRule) -> Value {
    json!({
        "ID": rule.id(),
        "AllowedOrigins": rule.allowed_origins(),
        "AllowedMethods": rule.allowed_methods(),
        "AllowedHeaders": rule.allowed_headers(),
        "ExposeHeaders": rule.expose_headers(),
        "MaxAgeSeconds": rule.max_age_seconds(),
    })
}

fn is_same(rule: &CorsRule, other: &CorsRule) -> bool {
    let sorted = |texts: &[String]| {
        let mut texts = texts.to_vec();
        texts.sort();
        texts
    };
    let all = |rule: &CorsRule| {
        [rule.allowed_origins(), rule.allowed_methods(), rule.allowed_headers(), rule.expose_headers()].map(sorted)
    };
    all(rule) == all(other) && rule.max_age_seconds() == other.max_age_seconds()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn theirs() -> CorsRule {
        CorsRule::builder().id("theirs").allowed_origins("https://app.example").allowed_methods("PUT").build().unwrap()
    }

    #[test]
    fn any_page_may_read_unless_origins_are_given() {
        let any = document(&rule("CheckupRead", &[]).unwrap());
        assert_eq!(any["AllowedOrigins"], json!(["*"]));
        assert_eq!(any["AllowedMethods"], json!(["GET", "HEAD"]));
        assert!(any["ExposeHeaders"].as_array().unwrap().contains(&json!("ETag")));
        let origin = "https://status.example.com".to_owned();
        assert_eq!(
            document(&rule("CheckupRead", &[origin]).unwrap())["AllowedOrigins"],
            json!(["https://status.example.com"])
        );
    }

    #[test]
    fn our_rule_comes_after_others_and_is_replaced_in_place() {
        let ours = rule("CheckupRead", &[]).unwrap();
        let merged = merge(vec![theirs()], &ours).unwrap();
        assert_eq!(merged, [theirs(), ours.clone()]);
        let narrower = rule("CheckupRead", &["https://a.example".to_owned()]).unwrap();
        assert_eq!(merge(vec![ours, theirs()], &narrower).unwrap(), [narrower, theirs()]);
    }

    #[test]
    fn an_existing_rule_is_not_written_again_even_if_the_server_lost_its_id() {
        let ours = rule("CheckupRead", &["https://a.example".to_owned(), "https://b.example".to_owned()]).unwrap();
        assert_eq!(merge(vec![theirs(), ours.clone()], &ours), None);
        let mut changed = ours.clone();
        changed.id = None;
        changed.allowed_origins.reverse();
        assert_eq!(merge(vec![changed], &ours), None);
    }
}
