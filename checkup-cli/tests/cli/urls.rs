//! Checks that are named on the command line, without a config file.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use checkup_testkit::{DnsAnswer, DnsServer, HttpServer, Response, closed_port};

use crate::support::{Folder, Running, normal, server};

#[tokio::test(flavor = "multi_thread")]
async fn urls_are_checked_without_a_config_file() {
    let server = server();
    let names = DnsServer::start(|_| DnsAnswer::A(vec![Ipv4Addr::new(192, 0, 2, 10)]));
    let dns = format!("dns://{}/example.test", names.addr());
    let ran = Folder::empty().run(&[&server.url("/"), &format!("tcp://{}", server.addr()), &dns, &server.url("/bad")]);
    let table = "\
healthy   http://SERVER/  TIME
healthy   tcp://SERVER  TIME  SERVER
healthy   NAMES/example.test  TIME  NAMES
down      SERVER/bad  TIME  http://SERVER/bad
          response status 503 Service Unavailable
3 healthy, 1 down in TIME
";
    let shown = normal(&ran.stdout, &server).replace(&names.addr().to_string(), "NAMES");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!((ran.code, ran.stderr.as_str(), words(&shown)), (1, "", words(table)));
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_in_a_url_are_sent_and_never_shown() {
    let server = HttpServer::start(|request| {
        // "user:hunter2", in base64.
        let is_known = request.header("Authorization") == Some("Basic dXNlcjpodW50ZXIy");
        Response::new(if is_known { 200 } else { 401 })
    });
    let url = format!("http://user:hunter2@{}/?token=t0ken", server.addr());
    for format in ["text", "json", "junit", "github"] {
        let ran = Folder::empty().run(&[&url, "--format", format]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{format}: {}", ran.stdout);
        assert!(!ran.stdout.contains("hunter2") && !ran.stdout.contains("t0ken"), "{format}: {}", ran.stdout);
    }
    let ran = Folder::empty().run(&["ftp://user:hunter2@db/"]);
    assert!(ran.code == 2 && !ran.stderr.contains("hunter2"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_of_a_ci_job_needs_no_file() {
    let is_up = Arc::new(AtomicBool::new(false));
    let works = Arc::clone(&is_up);
    let server = HttpServer::start(move |_| Response::new(if works.load(Ordering::SeqCst) { 200 } else { 503 }));
    let folder = Folder::empty();
    let mut running = Running::start(&folder, &["wait", &server.url("/"), "--timeout", "60s", "--interval", "20ms"]);
    let waits = format!("waiting for {} (response status 503 Service Unavailable)", server.addr());
    running.diagnostic(&waits);
    is_up.store(true, Ordering::SeqCst);
    running.diagnostic("healthy after ");
    assert_eq!(running.code(), Some(0));

    let gone = format!("tcp://{}", closed_port());
    let ran = folder.run(&["wait", &gone, "--timeout", "100ms"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.ends_with("checkup: not healthy within 100ms\n"), "{}", ran.stderr);
}

#[test]
fn what_is_not_a_url_is_reported_with_a_remedy() {
    let forms = "`dns://server/name`, `http://…`, `https://…`, `tcp://host:port`, `tls://host:port`";
    for (args, expected) in [
        (
            &["htps://example.com", "tcp://db"][..],
            "\
                 checkup: htps://example.com: unknown scheme `htps://`; did you mean `https://`?\n\
                 checkup: tcp://db: expected a host and a port such as \"db.internal:5432\" or \"[::1]:5432\", found \"db\"\n"
                .to_owned(),
        ),
        (
            &["wait", "redis://cache:6379"],
            format!("checkup: redis://cache:6379: unknown scheme `redis://`; available:\n    {forms}\n"),
        ),
        (&["example.com"], "checkup: example.com: not a URL; did you mean `https://example.com`?\n".to_owned()),
        (
            &["wait", "localhost:8080"],
            "checkup: localhost:8080: not a URL; did you mean `http://localhost:8080` or `tcp://localhost:8080`?\n"
                .to_owned(),
        ),
        (&["wait", "dns:///x"], "checkup: dns:///x: expected a host after `dns://`\n".to_owned()),
    ] {
        assert_eq!(Folder::empty().run(args).parts(), (2, "", expected.as_str()), "{args:?}");
    }
}

#[test]
fn a_word_that_may_be_a_command_is_answered_with_the_command() {
    for (args, expected) in [
        (&["evry", "1m"][..], "error: there is no command `evry`; did you mean `every`?\n"),
        (&["https://example.com", "wait"], "error: the command `wait` goes in front of its arguments\n"),
        (&["check"], "error: there is no command `check`: leave it out, and the checks run once\n"),
        (
            &["https://example.com", "--timeout", "5s"],
            "error: unexpected argument '--timeout' found\n\n  tip: --timeout is an option of `wait`\n",
        ),
        (&["--nonsense"], "error: unexpected argument '--nonsense' found\n\nUsage: "),
        (&["nonsense"], "error: `nonsense` is neither a command nor a URL\n"),
        (&["https://example.com", "--stats", "wait"], "error: a URL in front of a command has no effect; "),
        (&["https://example.com", "-c", "x.yaml"], "error: --config has no effect next to URLs\n"),
        (&["https://example.com", "--only", "x"], "error: --only has no effect next to URLs\n"),
        (&["wait", "https://example.com", "--only", "x"], "error: --only has no effect next to URLs\n"),
        (
            &["https://example.com", "--store"],
            "error: --store needs a config file with a `storage`; list the URLs there\n",
        ),
    ] {
        let ran = Folder::empty().run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{args:?}");
        assert!(ran.stderr.starts_with(expected), "{args:?}: {}", ran.stderr);
    }
}
