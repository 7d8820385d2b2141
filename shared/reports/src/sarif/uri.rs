//! Paths as URI references (RFC 3986).

use super::model::{ArtifactLocation, BASE};

/// The location of the file at `path`, which is artifact number `index` of the run.
///
/// A relative path stays one, below the root of the sources; an absolute one becomes a `file:`
/// URI.
pub fn location(path: &str, index: usize) -> ArtifactLocation {
    let path = path.replace('\\', "/");
    let drive = path.as_bytes().get(1) == Some(&b':');
    if drive {
        return ArtifactLocation {
            uri: format!("file:///{}", encoded(&path)),
            uri_base_id: None,
            index,
        };
    }
    if path.starts_with('/') {
        return ArtifactLocation {
            uri: format!("file://{}", encoded(&path)),
            uri_base_id: None,
            index,
        };
    }
    let mut plain = path.as_str();
    while let Some(rest) = plain.strip_prefix("./") {
        plain = rest.trim_start_matches('/');
    }
    ArtifactLocation { uri: encoded(plain), uri_base_id: Some(BASE), index }
}

/// `path` with everything percent-encoded that is not plain in every part of a URI.
fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(path: &str) -> (String, bool) {
        let made = location(path, 0);
        (made.uri, made.uri_base_id.is_some())
    }

    #[test]
    fn a_path_becomes_a_reference_that_can_be_read_back() {
        for (path, wanted, relative) in [
            ("scp/mail.json", "scp/mail.json", true),
            ("././a b.json", "a%20b.json", true),
            ("../über#1?.json", "../%C3%BCber%231%3F.json", true),
            ("x:y.json", "file:///x%3Ay.json", false),
            ("100%.json", "100%25.json", true),
            ("/tmp/a.json", "file:///tmp/a.json", false),
            (r"C:\scp\a.json", "file:///C%3A/scp/a.json", false),
            (r"scp\a.json", "scp/a.json", true),
        ] {
            assert_eq!(uri(path), (wanted.to_owned(), relative), "{path}");
        }
    }
}
