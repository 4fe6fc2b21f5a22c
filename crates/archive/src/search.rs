//! Search in opened records: one small grammar, printed here and on the screen. It looks at
//! records that a custodian opened and keeps no index.
//!
//! ```text
//! query  = group *( "OR" group )          one of the groups
//! group  = term *( term )                 all of the terms
//! term   = [ "NOT" ] ( field | phrase | word )
//! field  = ( "from:" / "to:" / "with:" ) address
//!        / ( "after:" / "before:" ) time  RFC 3339 with zone, or YYYY-MM-DDZ for midnight UTC
//!        / "type:" name / "class:" name / "rule:" name
//! phrase = DQUOTE words DQUOTE            exactly these words in this order
//! word   = letters [ "*" ]                with * any word that begins so
//! ```
//!
//! Case does not matter, accents do. Edited and retracted texts are found as what they were.

use std::{fmt, path::Path};

use model::Timestamp;

use crate::{
    custodian::{Custodian, Found, Opened, ReadFault, claimed_checkpoint},
    record::{MessageRecord, Plain},
    verify::Progress,
};

/// Bytes of a query.
pub const QUERY_BYTES_MAX: usize = 8_192;

/// A query that was understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    text: String,
    groups: Vec<Vec<Term>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Term {
    wanted: bool,
    test: Test,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Test {
    From(String),
    To(String),
    With(String),
    After(Timestamp),
    Before(Timestamp),
    Type(String),
    Class(String),
    Rule(String),
    /// Words in folded form, one after the other.
    Phrase(Vec<String>),
    Prefix(String),
}

/// Why a query is not one. There is no query that means «all» by accident.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QueryFault {
    /// Nothing is asked.
    Empty,
    /// Longer than [`QUERY_BYTES_MAX`].
    TooLong,
    /// `OR` or `NOT` without what belongs beside it.
    Dangling,
    /// A quotation mark without its other half.
    Quote,
    /// A term without a word in it.
    Term(String),
    /// A field of this name is not known.
    Field(String),
    /// Not a time with a zone.
    Time(String),
}

/// What a search went through.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Records that were opened and looked at.
    pub searched: u64,
    /// Records that were found.
    pub hits: u64,
    /// Records whose salt was destroyed.
    pub destroyed: u64,
    /// Records that could not be opened, for example because they are not sealed to this key.
    pub unreadable: u64,
}

/// The words of a text, in folded form.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

impl Query {
    /// Reads a query.
    pub fn parse(text: &str) -> Result<Self, QueryFault> {
        if text.len() > QUERY_BYTES_MAX {
            return Err(QueryFault::TooLong);
        }
        let mut groups: Vec<Vec<Term>> = vec![Vec::new()];
        let mut wanted = true;
        let mut rest = text.trim_start();
        if rest.is_empty() {
            return Err(QueryFault::Empty);
        }
        while !rest.is_empty() {
            let (token, quoted, after) = token(rest)?;
            rest = after.trim_start();
            let group = groups.last_mut().ok_or(QueryFault::Empty)?;
            match token {
                "OR" if !quoted => {
                    if group.is_empty() || !wanted {
                        return Err(QueryFault::Dangling);
                    }
                    groups.push(Vec::new());
                }
                "NOT" if !quoted => {
                    if !wanted {
                        return Err(QueryFault::Dangling);
                    }
                    wanted = false;
                }
                _ => {
                    group.push(Term { wanted, test: test(token, quoted)? });
                    wanted = true;
                }
            }
        }
        if !wanted || groups.last().is_none_or(Vec::is_empty) {
            return Err(QueryFault::Dangling);
        }
        Ok(Self { text: text.to_owned(), groups })
    }

    /// The query as typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a record is asked for.
    #[must_use]
    pub fn matches(&self, plain: &Plain) -> bool {
        let words = words(&searched_text(plain));
        let passes = |term: &Term| term.test.passes(plain, &words) == term.wanted;
        self.groups.iter().any(|group| group.iter().all(passes))
    }
}

/// The next token, whether it is a quoted phrase, and what comes after it.
fn token(rest: &str) -> Result<(&str, bool, &str), QueryFault> {
    if let Some(quoted) = rest.strip_prefix('"') {
        let (phrase, after) = quoted.split_once('"').ok_or(QueryFault::Quote)?;
        return Ok((phrase, true, after));
    }
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (token, after) = rest.split_at(end);
    // A field's value may be quoted: rule:"no insider words".
    if let Some((field, _)) = token.split_once(":\"") {
        let start = field.len() + 2;
        let close = rest.get(start..).and_then(|rest| rest.find('"')).ok_or(QueryFault::Quote)?;
        return Ok((&rest[..start + close], false, &rest[start + close + 1..]));
    }
    if token.contains('"') { Err(QueryFault::Quote) } else { Ok((token, false, after)) }
}

fn test(token: &str, quoted: bool) -> Result<Test, QueryFault> {
    if quoted {
        return phrase(token);
    }
    if let Some((field, value)) = token.split_once(':') {
        let value = value.strip_prefix('"').unwrap_or(value);
        if value.is_empty() {
            return Err(QueryFault::Term(token.to_owned()));
        }
        let folded = value.to_lowercase();
        return match field {
            "from" => Ok(Test::From(folded)),
            "to" => Ok(Test::To(folded)),
            "with" => Ok(Test::With(folded)),
            "type" => Ok(Test::Type(folded)),
            "class" => Ok(Test::Class(folded)),
            "rule" => Ok(Test::Rule(folded)),
            "after" => time(value).map(Test::After),
            "before" => time(value).map(Test::Before),
            _ => Err(QueryFault::Field(field.to_owned())),
        };
    }
    if let Some(stem) = token.strip_suffix('*') {
        let mut stem = words(stem);
        return match (stem.pop(), stem.is_empty()) {
            (Some(word), true) => Ok(Test::Prefix(word)),
            _ => Err(QueryFault::Term(token.to_owned())),
        };
    }
    phrase(token)
}

fn phrase(text: &str) -> Result<Test, QueryFault> {
    let words = words(text);
    if words.is_empty() { Err(QueryFault::Term(text.to_owned())) } else { Ok(Test::Phrase(words)) }
}

fn time(text: &str) -> Result<Timestamp, QueryFault> {
    let midnight = text.strip_suffix(['Z', 'z']).filter(|day| day.len() == 10);
    let full = midnight.map_or_else(|| text.to_owned(), |day| format!("{day}T00:00:00Z"));
    Timestamp::parse_rfc3339(&full).ok_or_else(|| QueryFault::Time(text.to_owned()))
}

/// Every word of a record that a search looks at.
fn searched_text(plain: &Plain) -> String {
    match plain {
        Plain::Message(message) => message.text.clone(),
        Plain::Note(note) => {
            let mut text = String::new();
            for (_, value) in &note.details {
                text.push_str(value);
                text.push('\n');
            }
            if let Some(attempt) = &note.attempt {
                text.push_str(&attempt.text);
            }
            text
        }
    }
}

impl Test {
    fn passes(&self, plain: &Plain, words: &[String]) -> bool {
        let message = plain.message();
        let about = |test: &dyn Fn(&MessageRecord) -> bool| message.is_some_and(test);
        match self {
            Self::From(who) => about(&|message| is(&message.sender, who)),
            Self::To(who) => about(&|message| is_recipient(message, who)),
            Self::With(who) => {
                about(&|message| is(&message.sender, who) || is_recipient(message, who))
            }
            Self::After(time) => plain.time() >= *time,
            Self::Before(time) => plain.time() < *time,
            Self::Type(name) => plain.type_name() == name,
            Self::Class(name) => about(&|message| message.class == *name),
            Self::Rule(name) => {
                about(&|message| message.rules.iter().any(|rule| rule.name.to_lowercase() == *name))
            }
            Self::Phrase(phrase) => words.windows(phrase.len()).any(|window| window == phrase),
            Self::Prefix(stem) => words.iter().any(|word| word.starts_with(stem)),
        }
    }
}

fn is(address: &str, who: &str) -> bool {
    address == who || address.to_lowercase() == who
}

fn is_recipient(message: &MessageRecord, who: &str) -> bool {
    message.recipients.iter().any(|recipient| is(&recipient.address, who))
}

impl Custodian {
    /// Goes through all signed records and hands those that `query` asks for to `hit`.
    pub fn search(
        &self,
        dir: &Path,
        query: &Query,
        progress: impl FnMut(Progress),
        hit: impl FnMut(Found) -> Result<(), ReadFault>,
    ) -> Result<Tally, ReadFault> {
        self.search_first(dir, claimed_checkpoint(dir)?.size, query, progress, hit)
    }

    /// As [`Self::search`], the first `size` records only.
    pub(crate) fn search_first(
        &self,
        dir: &Path,
        size: u64,
        query: &Query,
        progress: impl FnMut(Progress),
        mut hit: impl FnMut(Found) -> Result<(), ReadFault>,
    ) -> Result<Tally, ReadFault> {
        let mut tally = Tally::default();
        self.scan_first(dir, size, progress, |found| {
            match &found.content {
                Opened::Plain(plain) => {
                    tally.searched += 1;
                    if query.matches(plain) {
                        tally.hits += 1;
                        hit(found)?;
                    }
                }
                Opened::Destroyed => tally.destroyed += 1,
                Opened::Unreadable(_) => tally.unreadable += 1,
                Opened::Opening(_) => {}
            }
            Ok(())
        })?;
        Ok(tally)
    }
}

impl fmt::Display for QueryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the query is empty; say what is to be found"),
            Self::TooLong => f.write_str("the query is too long"),
            Self::Dangling => f.write_str("OR or NOT stands alone"),
            Self::Quote => f.write_str("a quotation mark has no other half"),
            Self::Term(term) => write!(f, "there is no word in «{term}»"),
            Self::Field(field) => write!(
                f,
                "«{field}:» is not known; there are from: to: with: after: before: type: class: rule:"
            ),
            Self::Time(time) => write!(
                f,
                "«{time}» is not a time with a zone; write 2026-11-21T09:00:00Z or 2026-11-21Z"
            ),
        }
    }
}

impl std::error::Error for QueryFault {}
