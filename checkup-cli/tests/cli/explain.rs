//! `checkup explain`, and the page of the documentation that it writes.

use std::path::Path;

use crate::support::Folder;

#[test]
fn the_page_about_the_config_is_what_the_command_writes() {
    let ran = Folder::empty().run(&["explain", "--markdown"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/config.md");
    let page = std::fs::read_to_string(path).unwrap();
    let other = page.lines().zip(ran.stdout.lines()).find(|(page, written)| page != written);
    assert_eq!(other, None, "write docs/config.md again: checkup explain --markdown > docs/config.md");
    assert_eq!(page.len(), ran.stdout.len());
    let unexplained: Vec<_> = page.lines().filter(|line| line.starts_with("| ") && line.ends_with("|  |")).collect();
    assert!(unexplained.is_empty(), "keys without an explanation: {unexplained:#?}");
}

#[test]
fn every_key_and_type_is_explained_in_lines_that_fit_a_terminal() {
    let folder = Folder::empty();
    let overview = folder.run(&["explain"]);
    assert_eq!((overview.code, overview.stderr.as_str()), (0, ""));
    for part in [
        "\n  checkers ",
        "\n  status_page ",
        "\n  timeout ",
        "\nTypes of checks: dns, exec, heartbeat, http, tcp, tls\n",
    ] {
        assert!(overview.stdout.contains(part), "{part}: {}", overview.stdout);
    }
    for (topic, start, part) in [
        ("http", "checker `http`\n", "\nKeys of every check:\n"),
        ("http.must_contain", "http.must_contain: text\n", "The body must contain this text."),
        ("must_match", "http.must_match: text\n", "The body must match this regular expression"),
        ("checkers[2].must_match", "http.must_match: text\n", "The body must match this regular expression"),
        // Two checkers have it.
        ("must_contain", "exec.must_contain: text\n", "\nhttp.must_contain: text\n"),
        ("timeout", "timeout: duration\n", "The time limit of each attempt."),
        ("dns.transport", "dns.transport: `udp` or `tcp` or `tls` or `https`\n", "\n- `https`: HTTPS (RFC 8484)"),
        ("tcp.tls.ca_file", "tcp.tls.ca_file: text\n", "A PEM file with the certificates to trust"),
        ("s3", "storage `s3`\n", "* bucket"),
        ("checkers", "checkers: list of checks\n", "\nTypes: dns, exec, heartbeat, http, tcp, tls\n"),
        ("storage.dir", "fs.dir: text, required\n", ""),
        ("status_page.groups", "status_page.groups: list of objects\n", "\n  checks "),
    ] {
        let ran = folder.run(&["explain", topic]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{topic}");
        let part = part.trim_start_matches("* ");
        assert!(ran.stdout.starts_with(start) && ran.stdout.contains(part), "{topic}: {}", ran.stdout);
        let widest = ran.stdout.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= 100, "{topic}: {}", ran.stdout);
        assert!(!ran.stdout.contains("::") && !ran.stdout.contains("```"), "{topic}: {}", ran.stdout);
    }
}

#[test]
fn a_key_that_does_not_exist_is_answered_with_one_that_does() {
    for (topic, hint) in [
        ("htpp", "; did you mean `http`?"),
        ("http.must_contian", "; did you mean `http.must_contain`?"),
        ("http.tls.cafile", "; did you mean `http.tls.ca_file`?"),
        ("zzz", "; `checkup explain` lists everything"),
    ] {
        let expected = format!("checkup: config files have no `{topic}`{hint}\n");
        assert_eq!(Folder::empty().run(&["explain", topic]).parts(), (2, "", expected.as_str()));
    }
}
