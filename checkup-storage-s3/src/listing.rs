//! Removes from a listing the names that no file of Checkup has.

use bytes::Bytes;
use object_store::path::Path;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::refusal::character;

/// Removes from a page of a listing the keys that make `object_store` refuse the whole page: `a//b`, `a/./b`, or a key with a
/// control character. Other programs can put them into a bucket; none is the name of a file of Checkup.
///
/// Any other document is unchanged.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
pub(crate) fn without_strange_names(page: Bytes) -> Bytes {
    let mut reader = Reader::from_reader(&page[..]);
    let position = |reader: &Reader<&[u8]>| usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
    let (mut kept, mut seen_to, mut entry) = (Vec::new(), 0, 0);
    let (mut depth, mut name, mut text) = (0_usize, String::new(), String::new());
    loop {
        let begin = position(&reader);
        match reader.read_event() {
            Ok(Event::Start(_)) => {
                depth += 1;
                text.clear();
                if depth == 2 {
                    entry = begin;
                    name.clear();
                }
            }
            // Text that cannot be decoded becomes a character that no name has.
            Ok(Event::Text(part)) => text.push_str(&part.decode().unwrap_or("\0".into())),
            Ok(Event::CData(part)) => text.push_str(&part.decode().unwrap_or("\0".into())),
            Ok(Event::GeneralRef(entity)) => text.push(character(&entity).unwrap_or('\0')),
            Ok(Event::End(end)) => {
                match (depth, end.local_name().as_ref()) {
                    (3, b"Key" | b"Prefix") => name = std::mem::take(&mut text),
                    (2, b"Contents" | b"CommonPrefixes") if Path::parse(&name).is_err() => {
                        kept.extend_from_slice(&page[seen_to..entry]);
                        seen_to = position(&reader);
                    }
                    _ => {}
                }
                depth = depth.saturating_sub(1);
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(_) => return page,
        }
    }
    if seen_to == 0 {
        return page;
    }
    kept.extend_from_slice(&page[seen_to..]);
    kept.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strange_names_are_left_out() {
        let object = |key: &str| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>");
        let folder = |prefix: &str| format!("<CommonPrefixes><Prefix>{prefix}</Prefix></CommonPrefixes>");
        let page = |entries: &[String]| {
            let entries = entries.concat();
            format!(
                "<?xml version=\"1.0\"?>\n<ListBucketResult><Prefix>a//</Prefix>{entries}<IsTruncated>false</IsTruncated></ListBucketResult>"
            )
        };
        let good = [object("a/1-check.json"), object("a/&lt;ü&gt; &#65;"), folder("a/b/")];
        for strange in [
            object("a//x"),
            object("a/."),
            object("a/.."),
            object("a/1&#10;2"),
            object("a/1&#x1;"),
            object("a/&#0;"),
            object("a/1\n"),
            object("a/<![CDATA[\u{7}]]>"),
            folder("a//"),
            folder("a/./"),
            folder("./"),
        ] {
            let [one, two, three] = good.clone();
            let found = without_strange_names(page(&[strange.clone(), one, strange.clone(), two, three]).into());
            assert_eq!(found, page(&good), "with {strange:?}");
        }
    }

    #[test]
    fn any_other_document_is_unchanged() {
        for text in ["", "{}", "<html><p>a//b", "<a></b>", "</a>", "<Contents><Key>a//b</Key></Contents>"] {
            assert_eq!(without_strange_names(text.into()), text);
        }
    }
}
