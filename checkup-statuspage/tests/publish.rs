//! The static page, in a separate directory and next to the check files.
#![allow(clippy::unwrap_used, reason = "in tests, a panic is the report")]

use std::io::Read as _;
use std::path::Path;

use checkup_core::check_file::FileName;
use checkup_core::{CheckResult, Checkup, Hidden, Published, Report, Timestamp, check_fn};
use checkup_statuspage::{Group, PageStorage, PublishError, StatusPage, TagPage, deploy, export};
use checkup_storage_fs::Fs;
use checkup_storage_s3::S3;
use checkup_testkit::{MemoryStorage, S3Server};

const HOSTILE: &str = "../<script>alert(1)</script>";

async fn stored_in(dir: &Path) -> Checkup {
    let check = |name: &str| check_fn(name, || async { Ok::<_, String>(()) });
    let checkup = Checkup::builder().check(check("API")).check(check(HOSTILE)).storage(Fs::new(dir)).build().unwrap();
    checkup.check_and_store().await.unwrap();
    checkup
}

fn read(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[tokio::test]
async fn a_page_of_its_own_has_the_history_of_its_time() {
    let (checks, page) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let checkup = stored_in(checks.path()).await;
    export(page.path(), &StatusPage::new().title("Shop"), &checkup).await.unwrap();
    let html = read(page.path(), "index.html");
    assert!(html.contains("<title>Shop</title>"), "{html}");
    assert!(html.contains(r#""source":{"type":"index","url":"./"}"#), "{html}");
    assert!(html.contains("http-equiv=\"Content-Security-Policy\""));
    let summary: serde_json::Value = serde_json::from_str(&read(page.path(), "summary.json")).unwrap();
    assert_eq!(summary["series"].as_array().unwrap().len(), 2);
    assert_eq!(read(page.path(), "index.json"), "{}");
    assert!(read(page.path(), "badge/API.svg").contains("API: operational"));
    assert!(read(page.path(), "feed.atom").contains("<feed"));
    assert!(read(page.path(), "badge/uptime/API.svg").contains("API: 100%"));
    assert!(read(page.path(), "badge/rtt/API.svg").contains(" ms"));
    for folder in ["badge/uptime", "badge/rtt"] {
        let entries: Vec<_> = std::fs::read_dir(page.path().join(folder)).unwrap().collect();
        assert_eq!(entries.len(), 2, "{folder}");
        for entry in entries {
            assert!(!std::fs::read_to_string(entry.unwrap().path()).unwrap().contains("<script"));
        }
    }
}

#[tokio::test]
async fn a_page_with_hidden_facts_has_none_of_them_and_no_check_files_next_to_it() {
    let (checks, page) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let checkup = stored_in(checks.path()).await;
    let hidden = StatusPage::new().hide(Hidden::Endpoint);
    export(page.path(), &hidden, &checkup).await.unwrap();
    let summary: serde_json::Value = serde_json::from_str(&read(page.path(), "summary.json")).unwrap();
    for series in summary["series"].as_array().unwrap() {
        assert_eq!(series["endpoint"], "", "{summary}");
    }
    assert!(!read(page.path(), "feed.atom").contains("function"));
    for error in
        [export(checks.path(), &hidden, &checkup).await.unwrap_err(), deploy(&hidden, &checkup).await.unwrap_err()]
    {
        let error = error.to_string();
        assert!(error.starts_with("status_page.hide: expected a page without check files next to it"), "{error}");
    }
}

#[tokio::test]
async fn next_to_private_check_files_nothing_public_has_a_hidden_fact() {
    let server = S3Server::start();
    server.create_bucket("status");
    let bucket = S3::new("status").endpoint(server.endpoint());
    let bucket = bucket.access_key(server.access_key_id(), server.secret_access_key()).prefix("private");
    let check = |name: &str| check_fn(name, || async { Err::<(), _>("10.0.0.7 refused".to_owned()) });
    let checkup =
        |storage: S3| Checkup::builder().check(check("Database")).location("berlin").storage(storage).build().unwrap();
    let hidden = StatusPage::new().hide(Hidden::Endpoint).hide(Hidden::Reason).hide(Hidden::Location);
    let public = checkup(bucket.clone());
    public.check_and_store().await.unwrap();
    let error = deploy(&hidden, &public).await.unwrap_err().to_string();
    assert!(error.contains("`page_prefix` of an S3 storage"), "{error}");
    let private = checkup(bucket.page_prefix("public"));
    let files = deploy(&hidden, &private).await.unwrap();
    assert!(files.iter().any(|file| file.name == "overview.json"), "{files:?}");
    let (mut pages, mut has_check_file) = (0, false);
    for key in server.keys("status") {
        let text = text_of(&server, &key);
        if key.starts_with("public/") {
            pages += 1;
            for fact in ["10.0.0.7", "refused", "berlin"] {
                assert!(!text.contains(fact), "{fact} in {key}: {text}");
            }
        } else {
            has_check_file |= key.ends_with("-check.json") && text.contains("10.0.0.7");
        }
    }
    assert!(pages > 6 && has_check_file, "{:?}", server.keys("status"));
    let index = text_of(&server, "public/index.html");
    assert!(index.contains(r#""source":{"type":"api","url":"overview.json"}"#), "{index}");
}

#[tokio::test]
async fn static_pages_of_tags_have_their_own_data() {
    let (checks, page) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let check = |name: &str, tag: &str| check_fn(name, || async { Ok::<_, String>(()) }).tag(tag);
    let checkup =
        Checkup::builder().check(check("Cards", "shop")).check(check("Mail", "office")).storage(Fs::new(checks.path()));
    let checkup = checkup.build().unwrap();
    checkup.check_and_store().await.unwrap();
    let settings = StatusPage::new().page(TagPage::new("shop", "shop").title("Shop"));
    export(page.path(), &settings, &checkup).await.unwrap();
    deploy(&settings, &checkup).await.unwrap();
    for dir in [page.path(), checks.path()] {
        assert!(read(dir, "index.html").contains("Mail"));
        let part = dir.join("pages/shop");
        let mut names: Vec<_> =
            std::fs::read_dir(&part).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names, ["badge", "badge.svg", "feed.atom", "german.json", "index.html", "overview.json", "page.js"]);
        for name in ["index.html", "overview.json", "feed.atom"] {
            let text = read(&part, name);
            assert!(text.contains("Cards") != (name == "feed.atom") && !text.contains("Mail"), "{name}: {text}");
        }
        assert!(read(&part, "index.html").contains(r#""source":{"type":"api","url":"overview.json"}"#));
        assert!(part.join("badge/Cards.svg").exists() && !part.join("badge/Mail.svg").exists());
    }
}

/// The content of an object, decompressed.
fn text_of(server: &S3Server, key: &str) -> String {
    let object = server.object("status", key).unwrap();
    if object.content_encoding.is_none() {
        return String::from_utf8(object.content.to_vec()).unwrap();
    }
    let mut text = String::new();
    flate2::read::GzDecoder::new(&object.content[..]).read_to_string(&mut text).unwrap();
    text
}

#[cfg(unix)]
#[tokio::test]
async fn links_inside_the_directory_are_not_followed() {
    let (checks, page, outside) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let checkup = stored_in(checks.path()).await;
    let victim = outside.path().join("victim");
    std::fs::write(&victim, "untouched").unwrap();
    // Files that are links are replaced, those that an export was cut off at too.
    std::os::unix::fs::symlink(&victim, page.path().join("index.html")).unwrap();
    std::os::unix::fs::symlink(&victim, page.path().join(".page.js.new")).unwrap();
    std::os::unix::fs::symlink(outside.path(), page.path().join("badge")).unwrap();
    let error = export(page.path(), &StatusPage::new(), &checkup).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("badge is a symbolic link; remove it"), "{source}");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
    assert_eq!(read(outside.path(), "victim"), "untouched");
    std::fs::remove_file(page.path().join("badge")).unwrap();
    export(page.path(), &StatusPage::new(), &checkup).await.unwrap();
    assert!(!page.path().join("index.html").is_symlink());
    assert_eq!(read(outside.path(), "victim"), "untouched");
}

#[tokio::test]
async fn only_what_changed_is_written() {
    let (checks, page) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let checkup = stored_in(checks.path()).await;
    let settings = StatusPage::new();
    let first = export(page.path(), &settings, &checkup).await.unwrap();
    assert!(first.iter().all(|file| file.published == Published::Written), "{first:?}");
    let again = export(page.path(), &settings, &checkup).await.unwrap();
    assert!(again.iter().all(|file| file.published == Published::Unchanged), "{again:?}");
    let mut down = CheckResult::new("API", "function");
    down.status = checkup_core::Status::Down;
    checkup.store(&Report::new(vec![down])).await.unwrap();
    let later = export(page.path(), &settings, &checkup).await.unwrap();
    let written = later.iter().filter(|file| file.published == Published::Written);
    let names: Vec<_> = written.map(|file| file.name.as_str()).collect();
    // One bad result is no incident: the feed stays as it is.
    assert_eq!(names, ["badge.svg", "badge/API.svg", "badge/uptime/API.svg", "summary.json"]);
}

#[tokio::test]
async fn beside_the_check_files_the_page_reads_those() {
    let dir = tempfile::tempdir().unwrap();
    let checkup = stored_in(dir.path()).await;
    let index = read(dir.path(), "index.json");
    let files = export(dir.path(), &StatusPage::new(), &checkup).await.unwrap();
    assert!(files.iter().all(|file| file.name != "summary.json" && file.name != "index.json"), "{files:?}");
    assert_eq!(read(dir.path(), "index.json"), index);
    checkup.check_and_store().await.unwrap();
    let reader = checkup.storage().and_then(|storage| storage.reader()).unwrap();
    assert_eq!(reader.list(Timestamp::default()).await.unwrap().len(), 2, "the storage takes none of them for its own");
}

#[tokio::test]
async fn a_page_is_deployed_into_the_storage() {
    let dir = tempfile::tempdir().unwrap();
    let checkup = stored_in(dir.path()).await;
    let settings = StatusPage::new().group(Group::new("Shop", ["API"]));
    let files = deploy(&settings, &checkup).await.unwrap();
    assert_eq!(
        files.last().map(|file| file.name.as_str()),
        Some("index.html"),
        "last, when all that it needs is there"
    );
    assert!(read(dir.path(), "index.html").contains(r#""groups":[{"name":"Shop","checks":["API"]}"#));
    let again = deploy(&settings, &checkup).await.unwrap();
    assert!(again.iter().all(|file| file.published == Published::Unchanged), "{again:?}");
    let names = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| FileName::parse(name).is_some()).count(), 1);
}

#[tokio::test]
async fn settings_may_say_where_the_check_files_are() {
    let (checks, page) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let checkup = stored_in(checks.path()).await;
    let settings = StatusPage::new().storage(PageStorage::s3("https://checks.example.com", "shop/"));
    export(page.path(), &settings, &checkup).await.unwrap();
    let html = read(page.path(), "index.html");
    assert!(html.contains(r#""source":{"type":"s3","url":"https://checks.example.com/","prefix":"shop/"}"#), "{html}");
    assert!(html.contains("connect-src &#39;self&#39; https://checks.example.com;"), "{html}");
    assert!(!page.path().join("summary.json").exists());
}

#[tokio::test]
async fn what_cannot_be_published_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let check = check_fn("a", || async { Ok::<_, String>(()) });
    let nowhere = Checkup::builder().check(check.clone()).build().unwrap();
    let error = export(dir.path(), &StatusPage::new(), &nowhere).await.unwrap_err();
    assert!(error.to_string().starts_with("storage: expected a storage"), "{error}");
    let memory = Checkup::builder().check(check).storage(MemoryStorage::new()).build().unwrap();
    let error = deploy(&StatusPage::new(), &memory).await.unwrap_err();
    assert!(error.to_string().contains("cannot hold a page"), "{error}");
    let error = export(dir.path(), &StatusPage::new().title(""), &memory).await.unwrap_err();
    assert!(matches!(error, PublishError::Config(_)), "{error}");
    std::fs::write(dir.path().join("badge"), "in the way").unwrap();
    memory.check_and_store().await.unwrap();
    let error = export(dir.path(), &StatusPage::new(), &memory).await.unwrap_err();
    assert!(matches!(&error, PublishError::File { path, .. } if path.ends_with("badge/a.svg")), "{error}");
}
