//! `checkup statuspage`.

use serde_json::{Value, json};

use crate::support::{Folder, server};

fn config(url: &str) -> Value {
    json!({
        "checkers": [{ "type": "http", "endpoint_name": "API", "endpoint_url": url }],
        "storage": { "type": "fs", "dir": "results" },
        "status_page": { "title": "The shop" },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_written_once_and_then_left_as_it_is() {
    let server = server();
    let folder = Folder::new(&config(&server.url("/")));
    assert_eq!(folder.run(&["--store"]).code, 0);
    for (args, dir, place) in [(&["export", "public"][..], "public", "public"), (&["deploy"], "results", "the storage")]
    {
        let args = [&["statuspage"], args].concat();
        let ran = folder.run(&args);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        assert!(ran.stdout.ends_with(&format!(" files written in {place}\n")), "{}", ran.stdout);
        assert!(folder.read(&format!("{dir}/index.html")).contains("The shop"));
        let ran = folder.run(&args);
        assert!(ran.stdout.starts_with("0 files written, ") && ran.stdout.contains(" unchanged in "), "{}", ran.stdout);
    }
    assert_eq!(folder.run(&["statuspage", "deploy", "--quiet"]).parts(), (0, "", ""));
    assert_eq!(folder.stored().len(), 1);
}

#[test]
fn what_cannot_be_written_is_told() {
    let folder = Folder::new(&config("http://127.0.0.1:1/")).file("a-file", "");
    let ran = folder.run(&["statuspage", "export", "a-file/public"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
    assert!(ran.stderr.starts_with("checkup: the page is not written: cannot write a-file/public/"), "{}", ran.stderr);

    let nowhere = Folder::new(&json!({ "checkers": [{ "type": "tcp", "endpoint_url": "127.0.0.1:1" }] }));
    let expected = "checkup: a page needs a `storage` in the config file, and there is none\n";
    assert_eq!(nowhere.run(&["statuspage", "deploy"]).parts(), (2, "", expected));
}

#[test]
fn settings_of_the_page_that_cannot_work_are_told_by_every_command() {
    let mut config = config("http://127.0.0.1:1/");
    config["status_page"]["titel"] = json!("x");
    let ran = Folder::new(&config).run(&["validate"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("status_page.titel: unknown key; did you mean `title`?"), "{}", ran.stderr);
}
