//! `checkup validate`.

use serde_json::json;

use crate::support::{Folder, ONE_CHECK, server};

#[tokio::test(flavor = "multi_thread")]
async fn a_valid_file_is_described_and_nothing_is_checked() {
    let server = server();
    let folder = Folder::new(&json!({
        "checkers": [
            { "type": "http", "endpoint_url": server.url("/") },
            { "type": "tcp", "endpoint_url": server.addr().to_string() },
        ],
        "storage": { "type": "fs", "dir": "results" },
    }))
    .file("other.yml", ONE_CHECK);
    assert_eq!(folder.run(&["validate"]).parts(), (0, "checkup.json: 2 checks, storage fs\n", ""));
    let ran = folder.run(&["validate", "other.yml", "checkup.json"]);
    assert_eq!(ran.parts(), (0, "other.yml: 1 check\ncheckup.json: 2 checks, storage fs\n", ""));
    assert_eq!(folder.run(&["validate", "--quiet"]).parts(), (0, "", ""));
    assert_eq!(server.connections(), 0);
    assert!(!folder.path("results").exists());
}

#[test]
fn every_problem_of_every_file_is_a_line_with_its_place() {
    let folder = Folder::new(&json!({
        "checkers": [
            { "type": "http", "endpoint_url": "http://x/", "threshold_rt": "1s" },
            { "type": "htp" },
        ],
    }))
    .file("good.yaml", ONE_CHECK)
    .file("broken.json", "{");
    let ran = folder.run(&["validate", "checkup.json", "good.yaml", "broken.json"]);
    assert_eq!(ran.code, 2);
    assert_eq!(ran.stdout, "good.yaml: 1 check\n");
    let lines: Vec<_> = ran.stderr.lines().collect();
    for (line, start) in lines.iter().zip([
        "checkup: checkup.json: checkers[0].threshold_rt: unknown key; did you mean `threshold_rtt`?",
        "checkup: checkup.json: checkers[1].type: there is no checker `htp`; did you mean `http`?",
        "checkup: broken.json: not valid JSON at line 1 column 1: the file ends too early: a `}` is missing",
    ]) {
        assert!(line.starts_with(start), "{line}");
    }
    assert_eq!(lines.len(), 3, "{}", ran.stderr);
}
