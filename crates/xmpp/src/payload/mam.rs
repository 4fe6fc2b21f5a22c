//! Questions to a message archive (XEP-0313, `urn:xmpp:mam:2` with the extended fields) and what
//! stands around the answers. Whose archive may be asked is not decided here.

use model::Timestamp;

use super::{
    Kind, bad_request, delay, feature_not_implemented, form, jid_malformed, not_acceptable, ns, rsm,
};
use crate::{element::Element, encode, fault::StanzaCondition, jid::Jid};

/// Message ids in one query.
pub const MAM_IDS_MAX: usize = 100;

/// Addresses in each list of an owner's preferences.
pub const MAM_PREFERENCES_MAX: usize = 500;

/// What a client asks of an archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MamRequest {
    /// Messages (XEP-0313 §4).
    Query(Box<MamQuery>),
    /// The fields that queries may carry (XEP-0313 §4.1.5).
    Form,
    /// First and last message of the archive (XEP-0313 §5).
    Metadata,
    /// Which messages the owner wants kept (XEP-0441 §2).
    Preferences,
    /// Other wishes about what is kept (XEP-0441 §2).
    SetPreferences(MamPreferences),
}

/// A query: every condition must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MamQuery {
    /// The client's name for the query, repeated in each result.
    pub query_id: Option<Box<str>>,
    /// A node of the archive; people's archives have none.
    pub node: Option<Box<str>>,
    /// Only messages from or to this address.
    pub with: Option<Jid>,
    /// Not before this time.
    pub start: Option<Timestamp>,
    /// Not after this time.
    pub end: Option<Timestamp>,
    /// Only messages before the one of this id.
    pub before_id: Option<Box<str>>,
    /// Only messages after the one of this id.
    pub after_id: Option<Box<str>>,
    /// Only the messages of these ids; an unknown one fails the query.
    pub ids: Option<Vec<Box<str>>>,
    /// Which page.
    pub page: rsm::PageRequest,
    /// Newest first within the page (XEP-0313 §4.3.4).
    pub flip: bool,
}

/// What an owner wants kept in the own history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MamPreferences {
    /// For everybody not named below.
    pub default: MamDefault,
    /// Kept whatever the default.
    pub always: Vec<Jid>,
    /// Not kept whatever the default.
    pub never: Vec<Jid>,
}

/// The default of [`MamPreferences`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MamDefault {
    /// Everything is kept.
    Always,
    /// Nothing is kept.
    Never,
    /// What contacts of the roster say and hear is kept.
    Roster,
}

impl MamDefault {
    /// The attribute's value.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Never => "never",
            Self::Roster => "roster",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Always, Self::Never, Self::Roster].into_iter().find(|value| value.name() == name)
    }
}

/// Reads `<query/>`, `<metadata/>` or `<prefs/>`.
pub(crate) fn read(payload: &Element, kind: Kind) -> Result<MamRequest, StanzaCondition> {
    match (payload.name(), kind) {
        ("query", Kind::Set) => read_query(payload).map(|query| MamRequest::Query(query.into())),
        ("query", Kind::Get) => Ok(MamRequest::Form),
        ("metadata", Kind::Get) => Ok(MamRequest::Metadata),
        ("prefs", Kind::Get) => Ok(MamRequest::Preferences),
        ("prefs", Kind::Set) => read_preferences(payload).map(MamRequest::SetPreferences),
        (_, Kind::Get | Kind::Set) => Err(bad_request()),
    }
}

fn read_query(payload: &Element) -> Result<MamQuery, StanzaCondition> {
    let mut query = MamQuery {
        query_id: payload.attribute("queryid").map(Box::from),
        node: payload.attribute("node").map(Box::from),
        ..MamQuery::default()
    };
    let (mut form_seen, mut page_seen) = (false, false);
    for child in payload.children() {
        match (child.name(), child.namespace()) {
            ("x", ns::FORM) if !form_seen => {
                form_seen = true;
                read_form(&mut query, &form::read(child)?)?;
            }
            ("set", ns::RSM) if !page_seen => {
                page_seen = true;
                query.page = rsm::read(child)?;
            }
            ("flip-page", ns::MAM) => query.flip = true,
            ("x", ns::FORM) | ("set", ns::RSM) => return Err(bad_request()),
            // XEP-0313 §4.1.5 for fields; an unknown element is no different: leaving out a
            // condition would answer more than was asked.
            _ => return Err(feature_not_implemented()),
        }
    }
    Ok(query)
}

fn read_form(query: &mut MamQuery, form: &form::Form) -> Result<(), StanzaCondition> {
    // XEP-0313 §4.1: the FORM_TYPE must be this protocol's namespace.
    let of_mam = form.fields.iter().any(|field| &*field.var == "FORM_TYPE");
    if !of_mam {
        return Err(bad_request());
    }
    for field in &form.fields {
        match &*field.var {
            "FORM_TYPE" if field.single()? == ns::MAM => {}
            "FORM_TYPE" => return Err(bad_request()),
            "with" => {
                query.with = Some(Jid::parse(field.single()?).map_err(|_| jid_malformed())?);
            }
            "start" => query.start = Some(read_time(field)?),
            "end" => query.end = Some(read_time(field)?),
            "before-id" => query.before_id = Some(field.single()?.into()),
            "after-id" => query.after_id = Some(field.single()?.into()),
            "ids" if field.values.len() > MAM_IDS_MAX => return Err(not_acceptable()),
            "ids" => query.ids = Some(field.values.clone()),
            // XEP-0313 §4.1.5: "MUST respond with a 'feature-not-implemented' error".
            _ => return Err(feature_not_implemented()),
        }
    }
    Ok(())
}

fn read_time(field: &form::Field) -> Result<Timestamp, StanzaCondition> {
    Timestamp::parse_rfc3339(field.single()?).ok_or_else(bad_request)
}

fn read_preferences(payload: &Element) -> Result<MamPreferences, StanzaCondition> {
    let default = payload.attribute("default").and_then(MamDefault::from_name);
    let mut preferences = MamPreferences {
        default: default.ok_or_else(bad_request)?,
        always: Vec::new(),
        never: Vec::new(),
    };
    for list in payload.children().filter(|child| child.namespace() == ns::MAM) {
        let into = match list.name() {
            "always" => &mut preferences.always,
            "never" => &mut preferences.never,
            _ => return Err(bad_request()),
        };
        for jid in list.children().filter(|child| child.name() == "jid") {
            if into.len() == MAM_PREFERENCES_MAX {
                return Err(not_acceptable());
            }
            into.push(Jid::parse(jid.text_content().trim()).map_err(|_| jid_malformed())?);
        }
    }
    Ok(preferences)
}

/// Appends the `<query/>` with the form of all fields (XEP-0313 §4.1.5).
pub fn write_form(out: &mut Vec<u8>) {
    encode::open(out, "query", ns::MAM);
    out.push(b'>');
    form::write(out, "form", ns::MAM, |out| {
        form::write_field(out, "with", "jid-single", []);
        for name in ["start", "end", "before-id", "after-id"] {
            form::write_field(out, name, "text-single", []);
        }
        out.extend_from_slice(b"<field type='list-multi' var='ids'>");
        encode::open(out, "validate", ns::FORM_VALIDATE);
        encode::attribute(out, "datatype", "xs:string");
        out.extend_from_slice(b"><open/></validate></field>");
    });
    encode::close(out, "query");
}

/// Appends the `<fin/>` that ends a query (XEP-0313 §4.3). `complete` says that the page was not cut.
pub fn write_fin(out: &mut Vec<u8>, complete: bool, page: &rsm::Page<'_>) {
    encode::open(out, "fin", ns::MAM);
    if complete {
        encode::attribute(out, "complete", "true");
    }
    out.push(b'>');
    rsm::write(out, page);
    encode::close(out, "fin");
}

/// Appends the `<metadata/>` of an archive: id and time of its first and its last message, or
/// nothing inside for an empty archive (XEP-0313 §5).
pub fn write_metadata(out: &mut Vec<u8>, ends: Option<[(&str, Timestamp); 2]>) {
    encode::open(out, "metadata", ns::MAM);
    let Some(ends) = ends else {
        encode::close_empty(out);
        return;
    };
    out.push(b'>');
    for (name, (id, stamp)) in ["<start", "<end"].into_iter().zip(ends) {
        out.extend_from_slice(name.as_bytes());
        encode::attribute(out, "id", id);
        encode::attribute(out, "timestamp", &delay::stamp_text(stamp));
        encode::close_empty(out);
    }
    encode::close(out, "metadata");
}

/// Appends the `<prefs/>` of an owner (XEP-0441 §2).
pub fn write_preferences(out: &mut Vec<u8>, preferences: &MamPreferences) {
    encode::open(out, "prefs", ns::MAM);
    encode::attribute(out, "default", preferences.default.name());
    out.push(b'>');
    for (name, jids) in [("always", &preferences.always), ("never", &preferences.never)] {
        out.push(b'<');
        out.extend_from_slice(name.as_bytes());
        out.push(b'>');
        for jid in jids {
            encode::text_element(out, "jid", &jid.to_string());
        }
        encode::close(out, name);
    }
    encode::close(out, "prefs");
}
