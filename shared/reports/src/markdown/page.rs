//! Markdown that never takes more bytes than a place for comments does.

use findings::names::{count, list, number};

/// Bytes that are kept for the sentence about what was left out.
const LAST_WORDS: usize = 600;

/// A comment that is being written.
pub struct Comment {
    text: String,
    /// Bytes that are left.
    room: usize,
    /// What was left out.
    left: Vec<String>,
}

/// A heading with blocks below it.
pub struct PageSection {
    /// What stands before the blocks, where there are some.
    pub open: String,
    /// What stands behind them.
    pub close: &'static str,
    /// What a block is called, in the singular.
    pub what: &'static str,
    /// The blocks, the most important first.
    pub blocks: Vec<String>,
}

impl PageSection {
    fn bytes(&self) -> usize {
        let blocks: usize = self.blocks.iter().map(String::len).sum();
        if blocks == 0 { 0 } else { self.open.len() + blocks + self.close.len() }
    }
}

impl Comment {
    /// A page that begins with `head` and takes at most `limit` bytes.
    #[must_use]
    pub fn new(head: String, limit: usize) -> Self {
        Self { room: limit.saturating_sub(head.len() + LAST_WORDS), text: head, left: Vec::new() }
    }

    /// Keeps so many bytes for what [`push`](Self::push) brings.
    pub fn keep(&mut self, bytes: usize) {
        self.room = self.room.saturating_sub(bytes);
    }

    /// Puts down what room was kept for.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// As many blocks as fit, in order.
    pub fn section(
        &mut self,
        open: &str,
        close: &str,
        mut blocks: impl Iterator<Item = String>,
        what: &str,
    ) {
        let limit = self.text.len() + self.room;
        let mut fitted = 0;
        let mut left = 0;
        for block in blocks.by_ref() {
            let frame = if fitted == 0 { open.len() + close.len() } else { close.len() };
            if self.text.len() + frame + block.len() > limit {
                left += 1;
                break;
            }
            if fitted == 0 {
                self.text.push_str(open);
            }
            self.text.push_str(&block);
            fitted += 1;
        }
        left += blocks.count();
        if fitted > 0 {
            self.text.push_str(close);
        }
        if left > 0 {
            self.left.push(format!("{} of {}", number(left), count(fitted + left, what)));
        }
        self.room = limit.saturating_sub(self.text.len());
    }

    /// Sections in this order; none pushes another out: each has an equal share of the room,
    /// and what others leave of theirs.
    pub fn sections(&mut self, sections: Vec<PageSection>) {
        let share = self.room / sections.len().max(1);
        let mut kept: usize = sections.iter().map(|section| section.bytes().min(share)).sum();
        for section in sections {
            kept -= section.bytes().min(share);
            self.room = self.room.saturating_sub(kept);
            self.section(&section.open, section.close, section.blocks.into_iter(), section.what);
            self.room += kept;
        }
    }

    /// The page, with a last sentence about what did not fit and which command has it.
    #[must_use]
    pub fn finish(mut self, elsewhere: &str) -> String {
        if !self.left.is_empty() {
            self.text.push_str(&format!(
                "\n**This comment is not complete:** {} did not fit. {elsewhere}.\n",
                list(&self.left)
            ));
        }
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::{Comment, PageSection};

    fn section(mark: &str, blocks: usize) -> PageSection {
        let block = format!("- {mark}{}\n", "x".repeat(40));
        let open = format!("\n## {mark}\n<details>\n");
        PageSection { open, close: "</details>\n", what: "line", blocks: vec![block; blocks] }
    }

    #[test]
    fn no_section_pushes_another_out_whatever_their_order_and_the_page_keeps_its_limit() {
        for blocks in [[900, 3, 4], [3, 900, 4], [3, 4, 900], [900, 900, 900], [1, 2, 3]] {
            for limit in [2_000, 5_000, 100_000] {
                let mut page = Comment::new("# head\n".to_owned(), limit);
                let marks = ["first", "second", "third"];
                let sections = marks.into_iter().zip(blocks);
                page.sections(sections.clone().map(|(mark, n)| section(mark, n)).collect());
                let text = page.finish("Elsewhere has it");
                assert!(text.len() <= limit, "{blocks:?}: {}", text.len());
                assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
                let mut all = true;
                for (mark, wanted) in sections {
                    let there = text.matches(&format!("- {mark}")).count();
                    all &= there == wanted;
                    // A third of the room is six lines and more.
                    assert!(there >= wanted.min(6), "{mark} of {blocks:?} has {there}");
                }
                assert_eq!(text.contains("not complete"), !all, "{blocks:?}");
            }
        }
    }

    #[test]
    fn a_section_without_blocks_has_no_heading() {
        let mut page = Comment::new(String::new(), 2_000);
        page.sections(vec![section("none", 0), section("one", 1)]);
        let text = page.finish("");
        assert!(!text.contains("none") && text.contains("## one"), "{text}");
    }
}
