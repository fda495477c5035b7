//! The keys of the root other than plugins: `shard`, `quorum`, `location` and sections.

use super::*;

#[test]
fn nodes_share_the_checks_of_one_file_by_their_shards() {
    let checks: Vec<_> =
        (0..40).map(|index| json!({ "type": "ping", "endpoint_url": format!("host {index}") })).collect();
    let share = |shard: Value| parse(&json!({ "checkers": checks, "shard": shard })).unwrap();
    let parts: Vec<_> = (1..=3).map(|index| share(json!({ "index": index, "count": 3 }))).collect();
    assert_eq!(parts.iter().map(|part| part.checks().len()).sum::<usize>(), 40);
    assert!(parts.iter().all(|part| (5..25).contains(&part.checks().len())));
    // A flag replaces the shard of the file.
    let names = |checkup: &Checkup| checkup.checks().map(|check| check.name().into_owned()).collect::<Vec<_>>();
    let other = parts[0].with_location("eu").with_shard("2/3".parse().unwrap());
    assert_eq!((names(&other), other.location()), (names(&parts[1]), Some("eu")));
    assert_eq!(serde_json::to_value(&other).unwrap()["shard"], json!({ "index": 2, "count": 3 }));
    assert_eq!(share(Value::Null).checks().len(), 40);

    let refused = |shard: Value| problems(&json!({ "checkers": [], "shard": shard }));
    let expected = "shard: expected an `index` from 1 to `count`, found index 0 and count 3";
    assert_eq!(refused(json!({ "index": 0, "count": 3 })), [expected]);
    let expected = "shard: expected a shard such as \"2/8\", or an object with `index` and `count`, found \"0/3\"";
    assert_eq!(refused(json!("0/3")), [expected]);
    assert_eq!(names(&share(json!("2/3"))), names(&parts[1]));
    assert!(refused(json!({ "index": 1 }))[0].starts_with("shard: "), "{:?}", refused(json!({ "index": 1 })));
    assert!(refused(json!({ "index": 1, "count": 2, "cuont": 3 }))[0].contains("did you mean `count`"));
}

#[test]
fn a_quorum_is_one_or_more() {
    let file = json!({ "checkers": [], "quorum": 2 });
    let checkup = parse(&file).unwrap();
    assert_eq!(checkup.quorum(), crate::Quorum::at_least(2).unwrap());
    assert_eq!(serde_json::to_value(&checkup).unwrap(), file);
    assert!(problems(&json!({ "checkers": [], "quorum": 0 }))[0].starts_with("quorum: expected how many locations"));
    assert_eq!(parse(&json!({ "checkers": [] })).unwrap().quorum(), crate::Quorum::Majority);
}

#[test]
fn a_location_is_a_short_line() {
    let file = |location: &str| json!({ "checkers": [], "location": location });
    let location = |text: &str| parse(&file(text)).unwrap().location().map(str::to_owned);
    assert_eq!(location(" São Paulo "), Some("São Paulo".to_owned()));
    assert_eq!((location(""), location(&"ü".repeat(64))), (None, Some("ü".repeat(64))));
    for (wrong, expected) in [
        ("  ", "location: expected the name of a place, such as `eu-west`"),
        ("x\ny", "location: expected no control characters, found \"x\\ny\""),
        (&"x".repeat(300), "location: expected at most 64 characters, found 300"),
    ] {
        assert_eq!(problems(&file(wrong)), [expected]);
    }
    // A value from the environment may be a secret.
    let refused =
        Registry::new().parse_with(r#"{ "checkers": [], "location": "${L}" }"#, Format::Json, |_| Some("x\ny".into()));
    assert!(!refused.unwrap_err().to_string().contains("x\\ny"));
}

#[test]
fn a_section_is_checked_written_back_and_in_the_schema() {
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Display {
        title: String,
    }
    let mut registry = registry();
    let validate = |display: &Display| match display.title.as_str() {
        "" => Err(ConfigError::invalid("title", "expected a title, found nothing")),
        _ => Ok(()),
    };
    registry.section::<Display>("display", validate).absent(Kind::Section, "shop", "enable the feature `shop`");
    let parse = |file: &Value| registry.parse(&file.to_string(), Format::Json);
    let problem = |file: &Value| parse(file).unwrap_err().problems()[0].to_string();

    let file = json!({ "checkers": [], "display": { "title": "Status" } });
    let checkup = parse(&file).unwrap();
    assert_eq!(checkup.section(), Some(&Display { title: "Status".to_owned() }));
    assert_eq!(serde_json::to_value(&checkup).unwrap(), file);
    assert_eq!(parse(&json!({ "checkers": [] })).unwrap().section::<Display>(), None);
    assert!(registry.schema()["properties"]["display"]["properties"]["title"].is_object());

    assert_eq!(
        problem(&json!({ "checkers": [], "display": { "title": "" } })),
        "display.title: expected a title, found nothing"
    );
    assert!(problem(&json!({ "checkers": [], "display": { "titel": "" } })).contains("did you mean `title`"));
    assert!(problem(&json!({ "checkers": [], "displya": {} })).contains("did you mean `display`"));
    assert_eq!(
        problem(&json!({ "checkers": [], "shop": {} })),
        "shop: `shop` is not compiled in; enable the feature `shop`"
    );
}
