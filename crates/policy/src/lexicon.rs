//! Lexicon rules: words and patterns that are looked for in what a message says. Knows text and
//! nothing else; what follows from a find is the judge's business.

use std::fmt;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use regex::{RegexSet, RegexSetBuilder};

/// Rules in one policy version.
pub const LEXICONS_MAX: usize = 256;

/// Words and phrases of one rule.
pub const WORDS_MAX: usize = 10_000;

/// Bytes of one word or phrase.
pub const WORD_BYTES_MAX: usize = 256;

/// Bytes of all words of one rule together.
pub const WORDS_BYTES_MAX: usize = 512 * 1_024;

/// Patterns of one rule.
pub const PATTERNS_MAX: usize = 256;

/// Bytes of one pattern.
pub const PATTERN_BYTES_MAX: usize = 1_024;

/// Bytes of memory that the compiled patterns of one rule may take.
pub const PATTERNS_MEMORY_MAX: usize = 4 * 1_024 * 1_024;

/// A rule of conduct (MON-05).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LexiconRule {
    /// What `message.lexicons`, logs and notices call it.
    pub name: String,
    /// Words and phrases, found as whole words in any case.
    pub words: Vec<String>,
    /// Regular expressions in the syntax of the `regex` crate, found in any case.
    pub patterns: Vec<String>,
    /// What happens.
    pub action: LexiconAction,
    /// To whom a message must go for the rule to count (POL-07).
    pub audience: Audience,
    /// What the writer reads; empty for a neutral sentence.
    pub text: String,
}

/// What happens to a message in which something was found, the strongest last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum LexiconAction {
    /// It is delivered and the find recorded.
    Log,
    /// It is delivered and the sender told.
    Warn,
    /// It is refused until the sender confirms it.
    Confirm,
    /// It waits for a supervisor.
    Hold,
    /// It is refused.
    Block,
}

/// The recipients for whom a rule is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum Audience {
    /// All.
    #[default]
    Everyone,
    /// Those of the house.
    Inside,
    /// Customers and partners: those not of the house.
    Outside,
}

/// A rule made ready for looking.
pub struct Lexicon {
    /// As it was given.
    pub rule: LexiconRule,
    words: Option<AhoCorasick>,
    patterns: Option<RegexSet>,
}

/// A text made ready for looking: once for all rules.
pub struct Reading {
    /// Without invisible characters.
    plain: String,
    /// In lower case besides, every run of blanks one blank.
    folded: String,
}

/// Why a rule cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LexiconFault {
    /// A word is empty or longer than [`WORD_BYTES_MAX`].
    Word(String),
    /// A pattern is longer than [`PATTERN_BYTES_MAX`].
    PatternTooLong(String),
    /// A pattern is not a regular expression: the pattern and what is wrong.
    Pattern(String, String),
    /// The words together have more than [`WORDS_BYTES_MAX`], or the patterns take more than
    /// [`PATTERNS_MEMORY_MAX`].
    TooLarge,
    /// More than [`WORDS_MAX`] words or [`PATTERNS_MAX`] patterns.
    TooMany,
    /// Neither word nor pattern.
    Empty,
}

impl Lexicon {
    /// Checks and compiles a rule.
    pub fn compile(rule: LexiconRule) -> Result<Self, LexiconFault> {
        if rule.words.len() > WORDS_MAX || rule.patterns.len() > PATTERNS_MAX {
            return Err(LexiconFault::TooMany);
        }
        if rule.words.is_empty() && rule.patterns.is_empty() {
            return Err(LexiconFault::Empty);
        }
        let words = compile_words(&rule.words)?;
        let patterns = compile_patterns(&rule.patterns)?;
        Ok(Self { rule, words, patterns })
    }

    /// Whether the rule finds anything in the text.
    #[must_use]
    pub fn finds(&self, reading: &Reading) -> bool {
        self.finds_word(&reading.folded)
            || self.patterns.as_ref().is_some_and(|patterns| patterns.is_match(&reading.plain))
    }

    /// Looks at every place where a word stands, also those inside another, for one that is whole.
    fn finds_word(&self, text: &str) -> bool {
        self.words.as_ref().is_some_and(|words| {
            words
                .find_overlapping_iter(text)
                .any(|found| is_whole(text, found.start(), found.end()))
        })
    }
}

fn compile_words(words: &[String]) -> Result<Option<AhoCorasick>, LexiconFault> {
    if words.is_empty() {
        return Ok(None);
    }
    if words.iter().map(String::len).sum::<usize>() > WORDS_BYTES_MAX {
        return Err(LexiconFault::TooLarge);
    }
    let mut folded = Vec::with_capacity(words.len());
    for word in words {
        let reading = Reading::of(word);
        if reading.folded.trim().is_empty() || word.len() > WORD_BYTES_MAX {
            return Err(LexiconFault::Word(word.clone()));
        }
        folded.push(reading.folded.trim().to_owned());
    }
    AhoCorasickBuilder::new().build(&folded).map(Some).map_err(|_| LexiconFault::TooLarge)
}

fn compile_patterns(patterns: &[String]) -> Result<Option<RegexSet>, LexiconFault> {
    if patterns.is_empty() {
        return Ok(None);
    }
    if let Some(long) = patterns.iter().find(|pattern| pattern.len() > PATTERN_BYTES_MAX) {
        return Err(LexiconFault::PatternTooLong(long.clone()));
    }
    let build = |patterns: &[String]| {
        RegexSetBuilder::new(patterns)
            .case_insensitive(true)
            .size_limit(PATTERNS_MEMORY_MAX)
            .dfa_size_limit(PATTERNS_MEMORY_MAX)
            .build()
    };
    build(patterns).map(Some).map_err(|_| {
        let bad = patterns.iter().find_map(|pattern| {
            let fault = build(std::slice::from_ref(pattern)).err()?;
            let last = fault.to_string().lines().last().unwrap_or_default().trim().to_owned();
            Some(LexiconFault::Pattern(pattern.clone(), last))
        });
        bad.unwrap_or(LexiconFault::TooLarge)
    })
}

/// Whether the letters next to a find belong to other words. An end of the find that is no letter
/// itself, as in `$$$`, needs no gap.
fn is_whole(text: &str, start: usize, end: usize) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    let (before, rest) = text.split_at_checked(start).unwrap_or_default();
    let (found, after) = rest.split_at_checked(end - start).unwrap_or_default();
    let joined =
        |one: Option<char>, two: Option<char>| one.is_some_and(letter) && two.is_some_and(letter);
    !joined(before.chars().next_back(), found.chars().next())
        && !joined(found.chars().next_back(), after.chars().next())
}

impl Reading {
    /// Reads a text as a person would: characters that cannot be seen are left out, so that no word
    /// hides by being split, and wide letters are read as plain ones.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let plain: String = text.chars().filter(|c| !is_invisible(*c)).map(narrow).collect();
        let mut folded = String::with_capacity(plain.len());
        for c in plain.chars() {
            if !c.is_whitespace() {
                folded.extend(c.to_lowercase());
            } else if !folded.ends_with(' ') {
                folded.push(' ');
            }
        }
        Self { plain, folded }
    }
}

/// Soft hyphen, joiners, zero-width blanks, direction marks, variation selectors, tags.
fn is_invisible(c: char) -> bool {
    matches!(
        u32::from(c),
        0xad | 0x34f
            | 0x61c
            | 0x115f..=0x1160
            | 0x17b4..=0x17b5
            | 0x180b..=0x180f
            | 0x200b..=0x200f
            | 0x202a..=0x202e
            | 0x2060..=0x206f
            | 0x3164
            | 0xfe00..=0xfe0f
            | 0xfeff
            | 0xffa0
            | 0xe0000..=0xe0fff
    )
}

/// The plain form of a full-width letter, digit or sign (U+FF01 to U+FF5E).
fn narrow(c: char) -> char {
    match u32::from(c) {
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xff01 + 0x21).unwrap_or(c),
        _ => c,
    }
}

impl LexiconAction {
    /// All there are, the weakest first.
    pub const ALL: [Self; 5] = [Self::Log, Self::Warn, Self::Confirm, Self::Hold, Self::Block];

    /// The word used in rules, records and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Warn => "warn",
            Self::Confirm => "confirm",
            Self::Hold => "hold",
            Self::Block => "block",
        }
    }

    /// The action of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

impl Audience {
    /// The word used in rules.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Inside => "inside",
            Self::Outside => "outside",
        }
    }

    /// The audience of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Everyone, Self::Inside, Self::Outside];
        all.into_iter().find(|audience| audience.name() == name)
    }
}

impl fmt::Debug for Lexicon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lexicon({})", self.rule.name)
    }
}

impl fmt::Display for LexiconFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => {
                write!(f, "the word {word:?} is empty or longer than {WORD_BYTES_MAX} bytes")
            }
            Self::PatternTooLong(pattern) => {
                let start: String = pattern.chars().take(32).collect();
                write!(f, "the pattern {start:?}… is longer than {PATTERN_BYTES_MAX} bytes")
            }
            Self::Pattern(pattern, why) => write!(f, "the pattern {pattern:?} is bad: {why}"),
            Self::TooLarge => write!(
                f,
                "the words have more than {WORDS_BYTES_MAX} bytes, or the patterns take more than \
                 {PATTERNS_MEMORY_MAX} bytes of memory"
            ),
            Self::TooMany => {
                write!(f, "the rule has more than {WORDS_MAX} words or {PATTERNS_MAX} patterns")
            }
            Self::Empty => f.write_str("the rule has neither words nor patterns"),
        }
    }
}

impl std::error::Error for LexiconFault {}
