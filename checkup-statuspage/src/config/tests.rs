use super::*;
use crate::config::source::PageSource;

fn problems(page: &StatusPage) -> Vec<String> {
    page.validate().map_or_else(|error| error.problems().iter().map(ToString::to_string).collect(), |()| Vec::new())
}

#[test]
fn upstreams_config_js_is_understood() {
    let json = r#"{
        "timeframe": 86400000000000, "refresh_interval": 90,
        "storage": {"type": "s3", "AccessKeyID": "", "SecretAccessKey": "", "Region": "eu-west-1", "BucketName": "checks"},
        "status_text": {"healthy": "Situation Normal", "degraded": "Degraded Service", "down": "Service Disruption"}
    }"#;
    let page: StatusPage = serde_json::from_str(json).unwrap();
    assert_eq!(problems(&page), Vec::<String>::new());
    assert_eq!((page.timeframe, page.refresh_interval), (Duration::from_secs(86_400), Duration::from_secs(90)));
    assert_eq!(page.status_text.healthy.as_deref(), Some("Situation Normal"));
    assert_eq!(page.status_text.stale, None);
    let source = page.storage.unwrap().source();
    let url = "https://checks.s3.eu-west-1.amazonaws.com/".to_owned();
    assert_eq!(source, PageSource::S3 { url, prefix: String::new() });
}

#[test]
fn settings_are_read_as_they_are_written_and_the_default_is_empty() {
    assert_eq!(serde_json::to_string(&StatusPage::new()).unwrap(), "{}");
    let page = StatusPage::new()
        .title("Shop")
        .logo("logo.svg")
        .logo_dark("dark.svg")
        .favicon("icon.png")
        .image("https://example.com/card.png")
        .accent("#0b7a75")
        .language("de")
        .footer_link(Link::new("Imprint", "imprint.html"))
        .frame_ancestor("https://intranet.example.com")
        .cors_origin("*")
        .degraded_day(Duration::from_secs(3600))
        .link(Link::new("Help", "mailto:help@example.com"))
        .url("https://status.example.com/")
        .host("status.example.com")
        .order(Order::Status)
        .timeframe(Duration::from_secs(7200))
        .refresh_interval(Duration::ZERO)
        .storage(PageStorage::fs("checks"));
    let json = serde_json::to_string(&page).unwrap();
    assert_eq!(serde_json::from_str::<StatusPage>(&json).unwrap(), page);
    assert_eq!(problems(&page), Vec::<String>::new());
}

#[test]
fn all_invalid_settings_are_reported_with_their_place() {
    let page = StatusPage::new()
        .title(" ")
        .description("x".repeat(10_001))
        .logo("javascript:alert(1)")
        .logo_dark("javascript:alert(1)")
        .image("card.png")
        .accent("teal")
        .style("/does/not/exist.css")
        .language("tlh")
        .footer_link(Link::new("x", "ftp://x"))
        .frame_ancestor("intranet")
        .cors_origin("https://a.example/b")
        .degraded_day(Duration::from_secs(90_000))
        .link(Link::new("", "ftp://x"))
        .host("https://status.example.com")
        .timeframe(Duration::from_secs(60))
        .refresh_interval(Duration::from_secs(1))
        .storage(PageStorage::s3("https://u:p@example.com", ""));
    let places: Vec<_> = problems(&page).iter().map(|problem| problem.split(':').next().unwrap().to_owned()).collect();
    let expected = [
        "title",
        "description",
        "logo",
        "logo_dark",
        "image",
        "accent",
        "hosts[0]",
        "links[0].text",
        "links[0].url",
        "footer[0].url",
        "timeframe",
        "refresh_interval",
        "degraded_day",
        "frame_ancestors[0]",
        "cors_origins[0]",
        "style",
        "language",
        "storage.url",
    ];
    assert_eq!(places, expected);
}

#[test]
fn a_check_in_two_groups_is_refused() {
    let page = StatusPage::new().group(Group::new("A", ["x", "y"])).group(Group::new("B", ["z", "x"]));
    let problems = problems(&page);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].starts_with("groups[1].checks[1]: \"x\" is in groups[0] already"), "{problems:?}");
}

#[test]
fn settings_of_a_storage_that_have_no_effect_are_refused() {
    for (json, key) in [
        (r#"{"type": "fs", "BucketName": "b"}"#, "BucketName"),
        (r#"{"type": "fs", "url": "./", "Region": "eu-west-1"}"#, "Region"),
        (r#"{"type": "fs", "prefix": "a/"}"#, "prefix"),
        (r#"{"type": "s3", "url": "https://b.example.com/", "BucketName": "b"}"#, "BucketName"),
    ] {
        let storage: PageStorage = serde_json::from_str(json).unwrap();
        let problem = problems(&StatusPage::new().storage(storage)).remove(0);
        assert!(problem.starts_with(&format!("storage.{key}: ")) && problem.contains("remove"), "{problem}");
    }
}

#[test]
fn keys_in_the_page_are_refused_and_not_shown() {
    let json = r#"{"storage": {"type": "s3", "BucketName": "b", "SecretAccessKey": "hunter2"}}"#;
    let page: StatusPage = serde_json::from_str(json).unwrap();
    let problem = problems(&page).remove(0);
    assert!(problem.starts_with("storage.SecretAccessKey: this key would be public on the page"), "{problem}");
    assert!(!format!("{problem} {page:?}").contains("hunter2"));
}

#[test]
fn a_refresh_interval_that_is_neither_number_nor_duration_is_refused() {
    for json in [r#"{"refresh_interval": "soon"}"#, r#"{"refresh_interval": -1}"#, r#"{"refresh_interval": [1]}"#] {
        let error = serde_json::from_str::<StatusPage>(json).unwrap_err().to_string();
        assert!(error.contains("such as \"1m30s\""), "{error}");
    }
}
