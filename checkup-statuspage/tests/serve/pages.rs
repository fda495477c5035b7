//! Pages of the checks with a tag.

use checkup_core::{Checkup, Hidden, MaintenanceWindow, Storage as _, Timestamp, check_fn};
use checkup_statuspage::{Group, Site, StatusPage, TagPage};
use checkup_testkit::MemoryStorage;
use std::sync::Arc;
use std::time::Duration;

use crate::client::Served;

fn checkup() -> Checkup {
    let check = |name: &str| check_fn(name, || async { Err::<(), _>("10.0.0.7 refused".to_owned()) });
    let checks = [check("Cards").tag("shop").tag("web"), check("Mail").tag("office"), check("Search").tag("shop")];
    Checkup::builder().checks(checks).location("berlin").build().unwrap()
}

async fn served(settings: StatusPage) -> Served {
    let (checkup, storage) = (checkup(), MemoryStorage::new());
    let mut report = checkup.check().await;
    let now = Timestamp::now();
    let window = MaintenanceWindow::new(now, now.saturating_add(Duration::from_secs(600)));
    report.results[1].maintenance = Some(window.into());
    report.results[1].message = Some("Moving the Mail server".into());
    storage.store(&report).await.unwrap();
    let site = Site::of_storage(Arc::new(storage)).checkup(&checkup).page(settings);
    Served::start(site.build().unwrap().router()).await
}

#[tokio::test]
async fn a_page_has_the_checks_with_its_tag_and_nothing_of_the_others() {
    let settings =
        StatusPage::new().title("All").url("https://status.example.com").group(Group::new("First", ["Mail", "Cards"]));
    let settings = settings.page(TagPage::new("shop", "shop").title("Shop")).page(TagPage::new("office", "office"));
    let server = served(settings).await;
    let page = server.get("/pages/shop").await.text();
    assert!(page.contains("<title>Shop</title>") && page.contains("src=\"./shop/page.js?v="), "{page}");
    assert!(
        page.contains(r#""groups":[{"name":"First","checks":["Cards"]},{"name":"","checks":["Search"]}]"#),
        "{page}"
    );
    assert!(server.get("/pages/shop/").await.text().contains("src=\"page.js"));
    assert!(server.get("/pages/office/").await.text().contains("<title>All</title>"));
    for path in ["", "summary.json", "api/v1/status", "feed.atom", "badge.svg", "badge/Cards.svg", "index.html"] {
        let answer = server.get(&format!("/pages/shop/{path}")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.text().contains("Mail"), "{path}: {}", answer.text());
    }
    let checks = server.get("/pages/shop/api/v1/status").await.json();
    let names: Vec<_> =
        checks["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Cards", "Search"]);
    assert!(server.get("/pages/shop/feed.atom").await.text().contains("https://status.example.com/pages/shop/"));
    let file = server.get("/index.json").await.json().as_object().unwrap().keys().next().unwrap().clone();
    assert_eq!(server.get(&format!("/{file}")).await.status, 200);
    for path in ["index.json", &file, "badge/Mail.svg", "api/v1/history?check=Mail", "metrics", "readyz", "health"] {
        assert_eq!(server.get(&format!("/pages/shop/{path}")).await.status, 404, "{path}");
    }
    assert_eq!(server.get("/pages/none/").await.status, 404);
    assert_eq!(
        server.get("/summary.json").await.json()["series"].as_array().unwrap().len(),
        3,
        "the whole page has all"
    );
}

#[tokio::test]
async fn a_page_can_hide_more_than_the_whole_one() {
    let settings = StatusPage::new().hide(Hidden::Location).page(TagPage::new("shop", "shop").hide(Hidden::Reason));
    let server = served(settings).await;
    let whole = server.get("/summary.json").await.text();
    assert!(whole.contains("10.0.0.7 refused") && !whole.contains("berlin"), "{whole}");
    for path in ["summary.json", "api/v1/status", "api/v1/history?check=Cards", ""] {
        let part = server.get(&format!("/pages/shop/{path}")).await.text();
        assert!(!part.contains("10.0.0.7") && !part.contains("berlin"), "{path}: {part}");
    }
}

#[tokio::test]
async fn tags_are_those_of_checks() {
    let settings = StatusPage::new().page(TagPage::new("shop", "shop"));
    let error = Site::of_storage(Arc::new(MemoryStorage::new())).page(settings).build().unwrap_err().to_string();
    assert!(error.starts_with("status_page.pages: expected checks, since their tags"), "{error}");
    let settings = StatusPage::new()
        .page(TagPage::new("a/b", "x"))
        .page(TagPage::new("c", "x"))
        .page(TagPage::new("C", "x").title(" "));
    let problems = settings.validate().unwrap_err();
    let places: Vec<_> = problems.problems().iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(places, ["pages[0].path", "pages[2].path", "pages[2].title"]);
}
