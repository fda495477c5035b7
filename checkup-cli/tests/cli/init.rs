//! `checkup init`, and the schema that its samples obey.

use serde_json::Value;

use crate::support::Folder;

fn schema() -> Value {
    let ran = Folder::empty().run(&["schema"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    serde_json::from_str(&ran.stdout).unwrap()
}

fn wrote(name: &str) -> String {
    format!("wrote {name}, and checkup.schema.json for editors\n")
}

#[test]
fn editors_find_the_schema_that_the_sample_names() {
    for (name, line) in [
        ("checkup.yaml", "# yaml-language-server: $schema=./checkup.schema.json\n"),
        ("checkup.toml", "#:schema ./checkup.schema.json\n"),
        ("checkup.json", "{\n  \"$schema\": \"./checkup.schema.json\",\n"),
    ] {
        let folder = Folder::empty();
        assert_eq!(folder.run(&["init", name]).code, 0);
        assert!(folder.read(name).starts_with(line), "{name}: {}", folder.read(name));
        let written: Value = serde_json::from_str(&folder.read("checkup.schema.json")).unwrap();
        assert_eq!(written, schema());
    }
    let folder = Folder::empty().file("conf/checkup.schema.json", "mine");
    let expected = "wrote conf/checkup.yaml; conf/checkup.schema.json already exists, and `checkup schema` prints the current one\n";
    assert_eq!(folder.run(&["init", "conf/checkup.yaml"]).parts(), (0, expected, ""));
    assert_eq!(folder.read("conf/checkup.schema.json"), "mine");
}

#[test]
fn samples_validate_in_every_language_and_against_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for name in ["checkup.yaml", "checkup.json", "checkup.toml"] {
        let folder = Folder::empty();
        assert_eq!(folder.run(&["init", name]).parts(), (0, wrote(name).as_str(), ""));
        assert_eq!(folder.run(&["validate"]).parts(), (0, format!("{name}: 3 checks, storage fs\n").as_str(), ""));
        let text = folder.read(name);
        let value: Value = match name {
            "checkup.yaml" => serde_saphyr::from_str(&text).unwrap(),
            "checkup.json" => serde_json::from_str(&text).unwrap(),
            _ => serde_json::to_value(toml::from_str::<toml::Table>(&text).unwrap()).unwrap(),
        };
        let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

#[test]
fn the_schema_refuses_what_the_command_refuses() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for wrong in [
        r#"{ "checkers": [{ "type": "htp", "endpoint_url": "http://x/" }] }"#,
        r#"{ "checkers": [{ "type": "http", "endpoint_url": "http://x/", "treshold_rtt": 1 }] }"#,
        r#"{ "checkers": [{ "type": "tcp", "endpoint_url": "x:1", "timeout": "soon" }] }"#,
        r#"{ "chekers": [] }"#,
    ] {
        assert!(!validator.is_valid(&serde_json::from_str(wrong).unwrap()), "{wrong}");
        assert_eq!(Folder::empty().file("checkup.json", wrong).run(&["validate"]).code, 2, "{wrong}");
    }
}

#[test]
fn the_default_is_yaml_with_comments() {
    let folder = Folder::empty();
    assert_eq!(folder.run(&["init"]).parts(), (0, wrote("checkup.yaml").as_str(), ""));
    let text = folder.read("checkup.yaml");
    assert!(text.contains("#   checkers: dns, exec, heartbeat, http, tcp, tls\n#   storages: fs, s3\n"), "{text}");
    assert!(text.contains("\n  - type: http\n    endpoint_name: Website"), "{text}");
    assert!(text.contains("  # slower than this is degraded\n"), "{text}");
}

#[test]
fn nothing_is_overwritten_or_made_unclear() {
    let folder = Folder::empty().file("checkup.json", "{}");
    let ran = folder.run(&["init", "checkup.json"]);
    assert_eq!(ran.parts(), (2, "", "checkup: checkup.json already exists and is not overwritten\n"));
    assert_eq!(folder.read("checkup.json"), "{}");

    let ran = folder.run(&["init"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("checkup.json already exists; with a second config file"), "{}", ran.stderr);
    assert!(!folder.path("checkup.yaml").exists());
    // A file with another name is not ambiguous.
    assert_eq!(folder.run(&["init", "sample.toml"]).code, 0);
}

#[test]
fn an_ending_that_says_nothing_is_refused() {
    let ran = Folder::empty().run(&["init", "checkup.ini"]);
    let expected = "checkup: checkup.ini: expected a file that ends with .json, .yaml, .yml or .toml\n";
    assert_eq!(ran.parts(), (2, "", expected));
}
