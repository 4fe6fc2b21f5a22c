//! Just enough of Rust's grammar to tell code from comments and strings and to find functions; no parser.

#[cfg(test)]
mod tests;

/// A source cut in two, both of the same shape as the original (every line in its place).
pub(crate) struct Cut {
    /// Code: comments are spaces, what stands in strings is `"`.
    pub(crate) code: String,
    /// Comments with their slashes; everything else is spaces.
    pub(crate) comments: String,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// Line of the word `fn`, counted from one.
    pub(crate) line: usize,
    /// Line of the closing brace.
    pub(crate) end: usize,
    /// Lines of its body that hold code; empty lines, comments and lines of text are free, since a
    /// list of samples or a statement of SQL is data.
    pub(crate) code_lines: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Code,
    Comment,
    Text,
}

/// Tells code, comments and strings apart.
pub(crate) fn cut(source: &str) -> Cut {
    let chars: Vec<char> = source.chars().collect();
    let mut parts = vec![Part::Code; chars.len()];
    let mut at = 0;
    while let Some(&here) = chars.get(at) {
        let next = chars.get(at + 1).copied();
        let (part, end) = match (here, next) {
            ('/', Some('/')) => (Part::Comment, line_end(&chars, at)),
            ('/', Some('*')) => (Part::Comment, block_end(&chars, at)),
            ('"', _) => (Part::Text, text_end(&chars, at + 1)),
            ('r' | 'b' | 'c', _) if !follows_word(&chars, at) => match raw_start(&chars, at) {
                Some((start, hashes)) => (Part::Text, raw_end(&chars, start, hashes)),
                None => (Part::Code, at + 1),
            },
            ('\'', _) => match character_end(&chars, at) {
                Some(end) => (Part::Text, end),
                None => (Part::Code, at + 1),
            },
            _ => (Part::Code, at + 1),
        };
        let end = end.min(chars.len());
        if let Some(span) = parts.get_mut(at..end) {
            span.fill(part);
        }
        at = end;
    }
    let select = |keep: fn(Part, char) -> char| -> String {
        chars.iter().zip(&parts).map(|(&c, &p)| if c == '\n' { c } else { keep(p, c) }).collect()
    };
    Cut {
        code: select(|part, c| match part {
            Part::Code => c,
            Part::Comment => ' ',
            Part::Text => '"',
        }),
        comments: select(|part, c| if part == Part::Comment { c } else { ' ' }),
    }
}

fn line_end(chars: &[char], from: usize) -> usize {
    chars.iter().skip(from).position(|&c| c == '\n').map_or(chars.len(), |ahead| from + ahead)
}

fn block_end(chars: &[char], from: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = from;
    while at < chars.len() {
        match (chars.get(at), chars.get(at + 1)) {
            (Some('/'), Some('*')) => {
                depth += 1;
                at += 2;
            }
            (Some('*'), Some('/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    chars.len()
}

fn text_end(chars: &[char], mut at: usize) -> usize {
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// Start of the text and number of hashes, when a raw or prefixed string begins here.
fn raw_start(chars: &[char], at: usize) -> Option<(usize, Option<usize>)> {
    let mut next = at;
    let mut raw = false;
    while let Some(&c @ ('r' | 'b' | 'c')) = chars.get(next) {
        raw |= c == 'r';
        next += 1;
        if next - at > 2 {
            return None;
        }
    }
    let hashes = chars.iter().skip(next).take_while(|&&c| c == '#').count();
    if chars.get(next + hashes) != Some(&'"') || (hashes > 0 && !raw) {
        return None;
    }
    Some((next + hashes + 1, raw.then_some(hashes)))
}

fn raw_end(chars: &[char], start: usize, hashes: Option<usize>) -> usize {
    let Some(hashes) = hashes else { return text_end(chars, start) };
    let mut at = start;
    while at < chars.len() {
        let closes = chars.get(at) == Some(&'"')
            && chars.iter().skip(at + 1).take(hashes).filter(|&&c| c == '#').count() == hashes;
        if closes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    chars.len()
}

/// End of a character literal; `None` when the quote opens a lifetime.
fn character_end(chars: &[char], at: usize) -> Option<usize> {
    if chars.get(at + 1) == Some(&'\\') {
        let close = chars.iter().skip(at + 3).position(|&c| c == '\'')?;
        return Some(at + 3 + close + 1);
    }
    (chars.get(at + 2) == Some(&'\'')).then_some(at + 3)
}

fn follows_word(chars: &[char], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| chars.get(before)).is_some_and(|&c| is_word(c))
}

/// Whether a character may stand in a name.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Words of a text with the byte place of each.
pub(crate) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = text;
    let mut base = 0;
    std::iter::from_fn(move || {
        let start = rest.find(is_word)?;
        let tail = &rest[start..];
        let length = tail.find(|c| !is_word(c)).unwrap_or(tail.len());
        let found = (base + start, &tail[..length]);
        base += start + length;
        rest = &tail[length..];
        Some(found)
    })
}

/// Line of a byte place, counted from one.
pub(crate) fn line_of(text: &str, place: usize) -> usize {
    text.get(..place).map_or(0, |before| before.matches('\n').count()) + 1
}

/// Functions with a body, in order. `code` is `Cut::code`.
pub(crate) fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    let mut words = words(code).peekable();
    while let Some((place, word)) = words.next() {
        if word != "fn" {
            continue;
        }
        let Some(&(named, name)) = words.peek() else { break };
        // `fn(u8) -> u8` is a type and `fn $name` a macro: the name must follow at once.
        if code
            .get(place + 2..named)
            .is_none_or(|gap| gap.is_empty() || gap.chars().any(|c| !c.is_whitespace()))
        {
            continue;
        }
        if let Some((open, close)) = body(code, named + name.len()) {
            let inside = code.get(open + 1..close).unwrap_or_default();
            found.push(Function {
                name: name.to_owned(),
                line: line_of(code, place),
                end: line_of(code, close),
                code_lines: inside.lines().filter(|line| is_code(line)).count(),
            });
        }
    }
    found
}

/// Whether a line of `Cut::code` holds more than text and what parts it.
fn is_code(line: &str) -> bool {
    line.chars().any(|c| !c.is_whitespace() && c != '"' && c != ',')
}

/// Places of the braces of the body that follows `from`; `None` for a declaration.
fn body(code: &str, from: usize) -> Option<(usize, usize)> {
    let mut nested = 0_i32;
    let mut depth = 0_i32;
    let mut open = None;
    for (offset, c) in code.get(from..)?.char_indices() {
        match c {
            '(' | '[' if open.is_none() => nested += 1,
            ')' | ']' if open.is_none() => nested -= 1,
            ';' if open.is_none() && nested == 0 => return None,
            '{' if nested == 0 || open.is_some() => {
                depth += 1;
                open = open.or(Some(from + offset));
            }
            '}' if open.is_some() => {
                depth -= 1;
                if depth == 0 {
                    return Some((open?, from + offset));
                }
            }
            _ => {}
        }
    }
    None
}
