//! Settings: upstream's are accepted unchanged, all of them round-trip, and the error of an invalid one names its key.

use checkup_core::{IntoChecker, Secret};
use checkup_exec::{Exec, Raise};

fn refused(exec: Exec) -> String {
    exec.into_checker().expect_err("the settings are invalid").to_string()
}

#[test]
fn upstreams_settings_are_accepted() {
    let json =
        r#"{"command":"echo","arguments":["hello"],"raise":"warning","must_contain":"hello","must_not_contain":"x"}"#;
    let exec: Exec = serde_json::from_str(json).unwrap();
    let expected = Exec::new("echo").argument("hello").raise(Raise::Warn).must_contain("hello").must_not_contain("x");
    assert_eq!(exec, expected);
    exec.into_checker().unwrap();
    for (raise, expected) in [("", Raise::Error), ("error", Raise::Error), ("warn", Raise::Warn)] {
        let exec: Exec = serde_json::from_str(&format!(r#"{{"command":"x","raise":"{raise}"}}"#)).unwrap();
        assert_eq!(exec.raise, expected);
    }
}

#[test]
fn all_keys_read_and_write_back() {
    let exec = Exec::new("/bin/sh")
        .arguments(["-c", "exit 1"])
        .directory("/tmp")
        .environment("TOKEN", "hunter2")
        .inherit_environment(true)
        .must_contain("a")
        .must_not_contain("b")
        .raise(Raise::Warn)
        .nagios(true)
        .max_output_bytes(100);
    let json = Secret::exposing(|| serde_json::to_string(&exec).unwrap());
    assert_eq!(serde_json::from_str::<Exec>(&json).unwrap(), exec);
    exec.into_checker().unwrap();
    assert_eq!(serde_json::to_string(&Exec::new("df")).unwrap(), r#"{"command":"df"}"#);
}

#[test]
fn arguments_and_variables_are_not_shown() {
    let exec = Exec::new("mysql").argument("--password=hunter2").environment("TOKEN", "hunter2");
    let shown = format!("{exec:?} {} {:?}", serde_json::to_string(&exec).unwrap(), exec.clone().into_checker());
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn unknown_keys_are_refused() {
    let error = serde_json::from_str::<Exec>(r#"{"command": "df", "args": ["x"]}"#).unwrap_err();
    assert!(error.to_string().contains("unknown field `args`"), "{error}");
}

#[test]
fn invalid_settings_are_refused_with_their_key() {
    for (exec, start) in [
        (Exec::new(" "), "command: expected a program such as \"/usr/bin/df\", found an empty text"),
        (Exec::new("df\ndf"), "command: expected the path or the name of one program, found a text with several lines"),
        (Exec::new("df").argument("a").argument("b\0c"), "arguments[1]: expected a text without NUL characters"),
        (Exec::new("df").directory(""), "directory: expected a path, found an empty text"),
        (
            Exec::new("df").environment("A=B", "c"),
            "environment: expected the names of environment variables, without `=`",
        ),
        (Exec::new("df").environment("A", "hunter2\0"), "environment.A: expected a text without NUL characters"),
        (Exec::new("df").max_output_bytes(0), "max_output_bytes: expected 1 to 67108864, found 0"),
    ] {
        let error = refused(exec);
        assert!(error.starts_with(start), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn all_problems_of_the_settings_are_reported() {
    let settings = Exec::new("").argument("\0").directory("").environment("", "x").max_output_bytes(0);
    checkup_testkit::conformance::all_problems_are_reported(
        settings.into_checker(),
        &["command", "arguments[0]", "directory", "environment", "max_output_bytes"],
    );
}

#[cfg(feature = "config")]
mod registry {
    use std::fs;

    use checkup_core::config::{Format, Registry};

    fn registry() -> Registry {
        let mut registry = Registry::new();
        checkup_exec::register(&mut registry);
        registry
    }

    #[test]
    fn the_type_is_exec() {
        let text = r#"{"checkers": [
            {"type": "exec", "name": "Disk", "command": "check_disk", "arguments": ["-w", "20%"], "nagios": true,
             "environment": {"LANG": "C"}, "threshold_rtt": 5000000000, "attempts": 2, "raise": "warning"}
        ]}"#;
        let checkup = registry().parse(text, Format::Json).unwrap();
        let check = checkup.checks().next().unwrap();
        assert_eq!(check.name(), "Disk");
        assert_eq!(check.shown_endpoint(), "check_disk");
        let error = registry().parse(&text.replace("warning", "panic"), Format::Json).unwrap_err().to_string();
        assert!(error.starts_with("checkers[0].raise: "), "{error}");
        let schema = registry().schema().to_string();
        for key in ["must_not_contain", "inherit_environment", "max_output_bytes", "warning"] {
            assert!(schema.contains(key), "{key}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_path_is_relative_to_the_folder_of_the_config_file_and_a_name_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        std::os::unix::fs::symlink("/bin/sh", folder.path().join("bin/shell")).unwrap();
        let file = folder.path().join("checkup.yaml");
        let text = "checkers: [{type: exec, command: ./bin/shell, name: a}, {type: exec, command: sh, name: b}, {type: exec, command: ./sh, name: c}]";
        fs::write(&file, text).unwrap();
        let report = registry().load(&file).unwrap().check().await;
        let healthy: Vec<_> =
            report.results.iter().map(|result| (result.endpoint.as_str(), result.is_healthy())).collect();
        assert_eq!(healthy, [("./bin/shell", true), ("sh", true), ("./sh", false)]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn values_of_variables_are_not_shown_in_failures() {
        let text = "checkers: [{type: exec, command: sh, arguments: [-c, 'echo \"$0 is wrong\"; exit 1', 'token=${TOKEN}'], must_contain: '${TOKEN}'}]";
        for text in [text.to_owned(), text.replace("exit 1", "exit 0").replace("echo", ": ")] {
            let checkup = registry().parse_with(&text, Format::Yaml, |_| Some("hunter2".to_owned())).unwrap();
            let report = checkup.check().await;
            let reason = report.results[0].reason().unwrap().into_owned();
            assert!(reason.contains("[redacted]") && !reason.contains("hunter2"), "{reason}");
        }
    }
}
