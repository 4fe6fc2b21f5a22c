//! The field form that records and openings share: a tag of one byte, a length of four bytes (most
//! significant first), the value. It knows nothing of what a field means.
//!
//! A reader skips tags it does not know, so that later versions may add fields.

/// Bytes of the form in front of each value: the tag and the length.
pub(crate) const FIELD_HEAD_BYTES: usize = 5;

/// The tag whose value is only there to make the form longer.
pub(crate) const PADDING: u8 = 0;

/// Appends fields to a buffer.
pub(crate) struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// A writer whose buffer starts with `head` and has room for `capacity` bytes.
    pub(crate) fn new(head: &[u8], capacity: usize) -> Self {
        let mut out = Vec::with_capacity(capacity);
        out.extend_from_slice(head);
        Self { out }
    }

    pub(crate) fn bytes(&mut self, tag: u8, value: &[u8]) {
        self.out.push(tag);
        self.out.extend_from_slice(&length(value.len()));
        self.out.extend_from_slice(value);
    }

    pub(crate) fn text(&mut self, tag: u8, value: &str) {
        self.bytes(tag, value.as_bytes());
    }

    pub(crate) fn number(&mut self, tag: u8, value: u64) {
        self.bytes(tag, &value.to_be_bytes());
    }

    /// A signed number in two's complement.
    pub(crate) fn signed(&mut self, tag: u8, value: i64) {
        self.bytes(tag, &value.to_be_bytes());
    }

    /// A field whose value is fields again.
    pub(crate) fn nested(&mut self, tag: u8, write: impl FnOnce(&mut Self)) {
        self.out.push(tag);
        let at = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        write(self);
        let len = length(self.out.len() - at - 4);
        if let Some(place) = self.out.get_mut(at..at + 4) {
            place.copy_from_slice(&len);
        }
    }

    /// Fills up with a field of zeros until the length is a multiple of `block`.
    pub(crate) fn pad(&mut self, block: usize) {
        let missing = (self.out.len() + FIELD_HEAD_BYTES).next_multiple_of(block)
            - self.out.len()
            - FIELD_HEAD_BYTES;
        self.out.push(PADDING);
        self.out.extend_from_slice(&length(missing));
        self.out.resize(self.out.len() + missing, 0);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.out
    }
}

/// Values longer than 4 GiB do not exist: contents are limited far below that.
fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes()
}

/// Reads fields one after the other.
#[derive(Clone)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

/// One field: its tag and its value.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) tag: u8,
    pub(crate) value: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }
}

impl<'a> Iterator for Fields<'a> {
    /// An error is a length that does not fit; nothing comes after it.
    type Item = Result<Field<'a>, ()>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = split(self.rest);
        self.rest = field.map_or(&[], |(_, rest)| rest);
        Some(field.map(|(field, _)| field).ok_or(()))
    }
}

fn split(bytes: &[u8]) -> Option<(Field<'_>, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<FIELD_HEAD_BYTES>()?;
    let [tag, len @ ..] = *head;
    let len = usize::try_from(u32::from_be_bytes(len)).ok()?;
    let (value, rest) = rest.split_at_checked(len)?;
    Some((Field { tag, value }, rest))
}

impl<'a> Field<'a> {
    pub(crate) fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.value).ok()
    }

    pub(crate) fn number(self) -> Option<u64> {
        self.value.try_into().ok().map(u64::from_be_bytes)
    }

    pub(crate) fn signed(self) -> Option<i64> {
        self.value.try_into().ok().map(i64::from_be_bytes)
    }

    pub(crate) fn digest(self) -> Option<[u8; 32]> {
        self.value.try_into().ok()
    }
}
