//! Which config file is used.

use std::io::Write;
use std::process::Stdio;

use serde_json::json;

use crate::support::{Folder, ONE_CHECK, Ran, server};

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_a_parent_is_found_and_its_relative_paths_are_relative_to_it() {
    let server = server();
    let folder = Folder::new(&json!({
        "checkers": [{ "type": "http", "endpoint_url": server.url("/") }],
        "storage": { "type": "fs", "dir": "results" },
    }))
    .file("a/b/other", "");
    let ran = Ran::of(folder.command_in("a/b", &["--store"]).output().unwrap());
    assert_eq!(ran.parts(), (0, "", ""));
    assert_eq!(folder.stored().len(), 1);
    assert!(!folder.path("a/b/results").exists());

    let ran = Ran::of(folder.command_in("a/b", &["validate"]).output().unwrap());
    assert_eq!(ran.parts(), (0, "../../checkup.json: 1 check, storage fs\n", ""));
}

#[test]
fn the_search_ends_at_the_root_of_the_repository() {
    let folder =
        Folder::empty().file("checkup.json", ONE_CHECK).file("inner/.git", "gitdir: elsewhere").file("inner/a/b", "");
    let ran = Ran::of(folder.command_in("inner/a", &[]).output().unwrap());
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.starts_with("checkup: there is no checkup.json, checkup.yaml, checkup.yml, checkup.toml in "),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.ends_with("inner; `checkup init` writes a sample, --config names another file\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn outside_of_a_repository_and_the_home_folder_no_parent_is_searched() {
    let folder = Folder::empty().file("checkup.json", ONE_CHECK).file("a/b/other", "");
    std::fs::remove_dir(folder.path(".git")).unwrap();
    let ran =
        |home: &str| Ran::of(folder.command_in("a/b", &["validate"]).env("HOME", folder.path(home)).output().unwrap());
    let outside = ran("elsewhere");
    assert!(outside.code == 2 && outside.stderr.contains(" there is no checkup.json, "), "{outside:?}");
    assert_eq!(ran("").parts(), (0, "../../checkup.json: 1 check\n", ""));
    assert_eq!(ran("a").code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn relative_paths_are_relative_to_the_config_file_and_not_to_the_working_directory() {
    let server = server();
    let config = json!({
        "checkers": [{ "type": "http", "endpoint_url": server.url("/") }],
        "storage": { "type": "fs", "dir": "./results" },
        "spool": { "dir": "waiting" },
    });
    let folder = Folder::empty().file("conf/checkup.json", &config.to_string()).file("elsewhere/other", "");
    let path = folder.path("conf/checkup.json").display().to_string();
    let run = |args: &[&str]| Ran::of(folder.command_in("elsewhere", args).output().unwrap());
    let stored = |dir: &str| std::fs::read_dir(folder.path(dir)).map_or(0, Iterator::count);
    // In another working directory, as from cron.
    assert_eq!(run(&["-c", &path, "--store"]).parts(), (0, "", ""));
    assert_eq!(run(&["-c", "../conf/checkup.json", "--store"]).parts(), (0, "", ""));
    assert!(stored("conf/results") >= 2 && stored("elsewhere/results") == 0);
    // So is the spool.
    std::fs::remove_dir_all(folder.path("conf/results")).unwrap();
    std::fs::write(folder.path("conf/results"), "").unwrap();
    assert_eq!(run(&["-c", &path, "--store"]).code, 4);
    assert!(stored("conf/waiting") >= 1 && stored("elsewhere/waiting") == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_files_in_the_working_directory_are_pointed_out_once() {
    let server = server();
    let config = json!({
        "checkers": [{ "type": "http", "endpoint_url": server.url("/") }],
        "storage": { "type": "fs", "dir": "results" },
    });
    let folder = Folder::empty().file("conf/checkup.json", &config.to_string()).file("results/1-check.json", "[]");
    let note = "checkup: conf/checkup.json: note: relative paths are relative to the folder of the config file, so ";
    let ran = folder.run(&["-c", "conf/checkup.json", "message", "moved"]);
    assert!(ran.code == 0 && ran.stderr.starts_with(note), "{ran:?}");
    assert!(ran.stderr.contains(&folder.path("results").display().to_string()), "{ran:?}");
    {
        let ran = folder.run(&["-c", "conf/checkup.json", "message", "again"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        assert!(ran.stdout.starts_with("Message ") && ran.stdout.ends_with(" posted\n"), "{ran:?}");
    }
}

#[test]
fn two_files_in_one_folder_are_refused() {
    let folder = Folder::empty()
        .file("checkup.json", ONE_CHECK)
        .file("checkup.toml", "[[checkers]]\ntype = \"tcp\"\nendpoint_url = \"127.0.0.1:1\"\n");
    let ran = folder.run(&[]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.starts_with("checkup: both checkup.json and checkup.toml exist in "), "{}", ran.stderr);
    // It is enough to name one of them.
    assert_eq!(folder.run(&["validate", "-c", "checkup.toml"]).parts(), (0, "checkup.toml: 1 check\n", ""));
}

#[test]
fn a_config_comes_from_standard_input() {
    for (text, what) in [(ONE_CHECK, "JSON"), ("checkers: [{ type: tcp, endpoint_url: \"127.0.0.1:1\" }]", "YAML")] {
        let folder = Folder::empty();
        let mut child =
            folder.command(&["validate", "-c", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!(ran.parts(), (0, "standard input: 1 check\n", ""), "{what}");
    }
}

#[test]
fn a_file_without_checks_is_refused_by_every_command_that_reads_it() {
    let commands: [&[&str]; 6] = [&[], &["--store"], &["message", "hello"], &["wait"], &["every", "1m"], &["validate"]];
    for (name, text) in [
        ("checkup.json", "{}"),
        ("checkup.json", "{ \"checkers\": [], \"storage\": { \"type\": \"fs\", \"dir\": \"results\" } }"),
        ("checkup.yaml", "checkers: []"),
        ("checkup.toml", ""),
    ] {
        let folder = Folder::empty().file(name, text);
        let expected = format!("checkup: {name}: the config file has no checks; expected at least one in `checkers`\n");
        for command in commands {
            assert_eq!(folder.run(command).parts(), (2, "", expected.as_str()), "{command:?} {text:?}");
        }
    }
    // These are invalid in syntax already.
    for name in ["checkup.json", "checkup.yaml"] {
        let folder = Folder::empty().file(name, "");
        for command in commands {
            let ran = folder.run(command);
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{command:?} {name}");
            assert!(ran.stderr.starts_with(&format!("checkup: {name}: ")), "{}", ran.stderr);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_several_checks_are_reported_and_change_nothing() {
    let server = server();
    let check =
        |name: &str, path: &str| json!({ "type": "http", "endpoint_name": name, "endpoint_url": server.url(path) });
    let mut checks = vec![check("API", "/"), check("Shop\u{7}", "/"), check("API", "/bad"), check("Shop\u{7}", "/")];
    let storage = json!({ "type": "fs", "dir": "results" });
    let folder = Folder::new(&json!({ "checkers": checks, "storage": storage }));
    let mean = "; `--only` and `depends_on` mean all of them, `message --about` the first\n";
    let [api, shop] = ["\"API\"", "\"Shop\\u{7}\""]
        .map(|name| format!("checkup: checkup.json: warning: 2 checks are named {name}{mean}"));
    let expected = format!("{api}{shop}");
    let ran = folder.run(&["validate"]);
    assert_eq!(ran.parts(), (0, "checkup.json: 4 checks, storage fs\n", expected.as_str()));
    for (args, code) in
        [(&["--format", "json"][..], 1), (&["--only", "api"], 1), (&["message", "hello", "--about", "api"], 0)]
    {
        let ran = folder.run(args);
        assert_eq!((ran.code, ran.stderr.as_str()), (code, expected.as_str()), "{args:?}");
    }
    assert_eq!(folder.stored()[0].iter().position(|result| result.message.is_some()), Some(0));
    // A run from cron prints nothing about it.
    for args in [&["validate", "--quiet"][..], &["--quiet"], &["--store"]] {
        assert_eq!(folder.run(args).stderr, "", "{args:?}");
    }

    checks.truncate(2);
    let folder = Folder::new(&json!({ "checkers": checks }));
    assert_eq!(folder.run(&["validate"]).parts(), (0, "checkup.json: 2 checks\n", ""));
}

#[test]
fn a_file_that_is_not_there_exits_with_2() {
    let ran = Folder::empty().run(&["-c", "nowhere.yaml"]);
    assert_eq!(ran.code, 2);
    let expected =
        "checkup: nowhere.yaml: cannot be read: it does not exist; `checkup init nowhere.yaml` writes a sample\n";
    assert_eq!(ran.stderr, expected);
}
