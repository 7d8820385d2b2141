//! JUnit XML, which CI servers show as tests.
//!
//! | JUnit | here |
//! |---|---|
//! | `testsuite` | an account; its name and id, and its path of ids as a property |
//! | `testcase` | a control of that account; `classname` is the path with dots, which servers fold like packages |
//! | no child | PASSED |
//! | `failure` | FAILED: the witness and the cause |
//! | `error` | UNDECIDED: the obstacles |
//! | `skipped` | NOT_APPLICABLE: the reason |
//!
//! What a verdict hangs on beside the policies stands in `system-out`. Written suite by suite,
//! since a report of all accounts does not fit into memory everywhere.

use std::io::{self, Write};

use findings::asff::{account, obstacle};
use findings::names::count;
use findings::results::{ResultEntry, StatusEntry, Summary};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use crate::cells::{capital, maker, one_line, path};
use crate::checked::Checked;

type Xml<'w> = Writer<&'w mut dyn Write>;

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, checked: &Checked<'_>) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let summary = Summary::of(checked.report);
    let mut root = BytesStart::new("testsuites");
    root.push_attribute(("name", "ses-perimeter"));
    put_counts(&mut root, &summary);
    xml.write_event(Event::Start(root))?;
    let mut maker = maker(checked);
    for row in &checked.report.rows {
        let entries: Vec<(&str, ResultEntry)> =
            row.all().map(|cell| (cell.control.title(), maker.entry(row, cell))).collect();
        suite(&mut xml, checked, &entries)?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuites")))?;
    xml.get_mut().write_all(b"\n")
}

/// One account.
fn suite(
    xml: &mut Xml<'_>,
    checked: &Checked<'_>,
    entries: &[(&str, ResultEntry)],
) -> io::Result<()> {
    let Some((_, first)) = entries.first() else { return Ok(()) };
    let mut summary = Summary::default();
    entries.iter().for_each(|(_, entry)| summary.count(entry.status.into()));
    let mut start = BytesStart::new("testsuite");
    let name = account(&first.account_name, &first.account_id);
    start.push_attribute(("name", attribute(&name).as_str()));
    put_counts(&mut start, &summary);
    start.push_attribute(("timestamp", checked.origin.evaluated_at));
    xml.write_event(Event::Start(start))?;
    xml.write_event(Event::Start(BytesStart::new("properties")))?;
    for (name, value) in [("accountId", &first.account_id), ("path", &path(first))] {
        let mut property = BytesStart::new("property");
        property.push_attribute(("name", name));
        property.push_attribute(("value", attribute(value).as_str()));
        xml.write_event(Event::Empty(property))?;
    }
    xml.write_event(Event::End(BytesEnd::new("properties")))?;
    for (title, entry) in entries {
        case(xml, title, entry)?;
    }
    xml.write_event(Event::End(BytesEnd::new("testsuite")))
}

/// One control of an account.
fn case(xml: &mut Xml<'_>, title: &str, entry: &ResultEntry) -> io::Result<()> {
    let mut start = BytesStart::new("testcase");
    start.push_attribute(("name", attribute(&format!("{} {title}", entry.control_id)).as_str()));
    start.push_attribute(("classname", attribute(&entry.path.join(".")).as_str()));
    let outcome = match entry.status {
        StatusEntry::Passed => None,
        StatusEntry::Failed => {
            let request = entry.witness_text.clone().unwrap_or_default();
            let cause = entry.cause.as_deref().map(|cause| format!("{}.", capital(cause)));
            let lines = [request, cause.clone().unwrap_or_default()].join("\n");
            Some(("failure", cause.unwrap_or_else(|| title.to_owned()), lines))
        }
        StatusEntry::Undecided => {
            let lines: Vec<String> = entry.obstacles.iter().map(obstacle).collect();
            let more = lines.len().saturating_sub(1);
            let first = lines.first().cloned().unwrap_or_else(|| "no reason is known".to_owned());
            let message = match more {
                0 => first,
                more => format!("{first}; and {}", count(more, "further reason")),
            };
            Some(("error", message, lines.join("\n")))
        }
        StatusEntry::NotApplicable => {
            let reason = entry.reason.clone().unwrap_or_else(|| "no reason is known".to_owned());
            Some(("skipped", reason, String::new()))
        }
    };
    if outcome.is_none() && entry.assumptions.is_empty() {
        return xml.write_event(Event::Empty(start));
    }
    xml.write_event(Event::Start(start))?;
    if let Some((element, message, lines)) = outcome {
        let mut child = BytesStart::new(element);
        child.push_attribute(("message", attribute(&message).as_str()));
        // `skipped` has no type in the schemas that servers check against.
        if element != "skipped" {
            child.push_attribute(("type", entry.status.name()));
        }
        put_text(xml, child, &lines)?;
    }
    if !entry.assumptions.is_empty() {
        put_text(xml, BytesStart::new("system-out"), &entry.assumptions.join("\n"))?;
    }
    xml.write_event(Event::End(BytesEnd::new("testcase")))
}

fn put_text(xml: &mut Xml<'_>, start: BytesStart<'_>, text: &str) -> io::Result<()> {
    if text.is_empty() {
        return xml.write_event(Event::Empty(start));
    }
    let end = start.to_end().into_owned();
    xml.write_event(Event::Start(start))?;
    let lines: Vec<String> = text.lines().map(attribute).collect();
    xml.write_event(Event::Text(BytesText::new(&lines.join("\n"))))?;
    xml.write_event(Event::End(end))
}

fn put_counts(start: &mut BytesStart<'_>, summary: &Summary) {
    let Summary { passed, failed, undecided, not_applicable } = *summary;
    let all = passed + failed + undecided + not_applicable;
    let counts =
        [("tests", all), ("failures", failed), ("errors", undecided), ("skipped", not_applicable)];
    for (name, n) in counts {
        start.push_attribute((name, n.to_string().as_str()));
    }
}

/// `text` without what XML 1.0 cannot hold, on one line; it is still to be escaped.
fn attribute(text: &str) -> String {
    let legal = |c: char| if matches!(c, '\u{fffe}' | '\u{ffff}') { '\u{fffd}' } else { c };
    one_line(text).chars().map(legal).collect()
}
