//! How much of anything a peer may send before it is refused. Knows no policy: what a domain
//! allows beyond these bounds is judged elsewhere.

/// Bytes of one stanza or stream header once the peer has signed in (RFC 6120 §13.12).
pub const FRAME_BYTES_MAX: usize = 262_144;

/// Bytes of one element or stream header before the peer has signed in. RFC 6120 §13.12 wants at
/// least 10,000.
pub const FRAME_BEFORE_LOGIN_BYTES_MAX: usize = 16_384;

/// Elements inside one another, the stanza itself being the first.
pub const DEPTH_MAX: usize = 64;

/// Levels of a tree that the house itself builds: what came from a peer and what is wrapped round
/// it (a carbon of an archived message is three levels).
pub const TREE_DEPTH_MAX: usize = DEPTH_MAX + 32;

/// Attributes of one element, namespace declarations not counted.
pub const ATTRIBUTES_MAX: usize = 64;

/// Namespace declarations of one element. Must not be above 32, as uses are kept in a `u32`.
pub const DECLARATIONS_MAX: usize = 16;

/// Bytes of one element or attribute name with its prefix.
pub const NAME_BYTES_MAX: usize = 255;

/// Elements in one stanza, itself included.
pub const ELEMENTS_MAX: usize = 4_096;

/// Bytes of one character or entity reference from `&` to `;`. Leading zeros are legal XML
/// without end, so there must be an end.
pub const REFERENCE_BYTES_MAX: usize = 16;

/// Bytes of the XML declaration.
pub const XML_DECLARATION_BYTES_MAX: usize = 256;

/// Bytes of buffer that an idle stream keeps.
pub const IDLE_BUFFER_BYTES_MAX: usize = 8_192;

/// The bounds of one stream. All but the first are the same for everybody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of one stanza or stream header.
    pub frame_bytes_max: usize,
    /// Elements inside one another, the stanza itself being the first.
    pub depth_max: usize,
    /// Attributes of one element, namespace declarations not counted.
    pub attributes_max: usize,
    /// Namespace declarations of one element; above 32 counts as 32.
    pub declarations_max: usize,
    /// Bytes of one element or attribute name with its prefix.
    pub name_bytes_max: usize,
    /// Elements in one stanza, itself included.
    pub elements_max: usize,
}

impl Limits {
    /// For a peer that has not yet said who it is.
    pub const BEFORE_LOGIN: Self = Self {
        frame_bytes_max: FRAME_BEFORE_LOGIN_BYTES_MAX,
        depth_max: DEPTH_MAX,
        attributes_max: ATTRIBUTES_MAX,
        declarations_max: DECLARATIONS_MAX,
        name_bytes_max: NAME_BYTES_MAX,
        elements_max: ELEMENTS_MAX,
    };

    /// For a peer that has signed in.
    pub const SIGNED_IN: Self = Self { frame_bytes_max: FRAME_BYTES_MAX, ..Self::BEFORE_LOGIN };

    /// For bytes that were framed before and are read again.
    pub(crate) const FRAMED: Self = Self {
        frame_bytes_max: usize::MAX,
        depth_max: usize::MAX,
        attributes_max: usize::MAX,
        declarations_max: 32,
        name_bytes_max: usize::MAX,
        elements_max: usize::MAX,
    };
}
