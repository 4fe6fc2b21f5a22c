//! A small tree for payloads that must be understood: read by the framer's own scanner, built by
//! hand, written with the fewest declarations. What is only passed on never becomes a tree.

use std::borrow::Cow;

use crate::{escape, limits::TREE_DEPTH_MAX, namespace};

mod read;

/// One element with all it holds. At most [`TREE_DEPTH_MAX`] levels, so that nothing that walks it
/// can run out of stack.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element {
    name: Cow<'static, str>,
    namespace: Cow<'static, str>,
    attributes: Vec<Attribute>,
    children: Vec<Node>,
    /// Levels, itself included.
    height: usize,
}

/// What stands between the tags of an element.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// A child.
    Element(Element),
    /// Character data, unescaped.
    Text(String),
}

/// An attribute, its value unescaped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attribute {
    /// The namespace; empty for an attribute without prefix and for `xml:lang` and its like.
    pub namespace: Cow<'static, str>,
    /// The local name; that of the `xml` namespace is kept with its prefix, as in `xml:lang`.
    pub name: Cow<'static, str>,
    /// The value.
    pub value: String,
}

impl Element {
    /// An empty element. Name and namespace are the house's own words and are written as given.
    #[must_use]
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        namespace: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            name: name.into(),
            namespace: namespace.into(),
            attributes: Vec::new(),
            children: Vec::new(),
            height: 1,
        }
    }

    /// With an attribute; one of the same name is replaced. `xml:lang` is a name.
    #[must_use]
    pub fn attr(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        self.set_attribute(name, value);
        self
    }

    /// With an attribute if there is a value.
    #[must_use]
    pub fn attr_if(
        self,
        name: impl Into<Cow<'static, str>>,
        value: Option<impl Into<String>>,
    ) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// With one more child. A child that would make the tree deeper than [`TREE_DEPTH_MAX`] is left
    /// out; what came from a peer and was wrapped a few times never is.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.push(child);
        self
    }

    /// With more children.
    #[must_use]
    pub fn children_from(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        for child in children {
            self.push(child);
        }
        self
    }

    /// With character data at the end.
    #[must_use]
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        self.push_text(text.as_ref());
        self
    }

    /// Sets an attribute; one of the same name is replaced.
    pub fn set_attribute(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        let same = |a: &&mut Attribute| a.namespace.is_empty() && a.name == name;
        match self.attributes.iter_mut().find(same) {
            Some(attribute) => attribute.value = value,
            None => self.attributes.push(Attribute { namespace: "".into(), name, value }),
        }
    }

    /// Puts a child at the end, under the condition of [`Self::child`].
    pub fn push(&mut self, child: Self) {
        if child.height < TREE_DEPTH_MAX {
            self.height = self.height.max(child.height + 1);
            self.children.push(Node::Element(child));
        }
    }

    /// The local name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The namespace; empty for none.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Whether it is this element.
    #[must_use]
    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace == namespace
    }

    /// The attribute without prefix of that name, or `xml:lang`.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut all = self.attributes.iter();
        all.find(|a| a.namespace.is_empty() && a.name == name).map(|a| a.value.as_str())
    }

    /// All attributes in their order.
    #[must_use]
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The first child of that namespace and name.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<&Self> {
        self.children().find(|child| child.is(namespace, name))
    }

    /// The children that are elements, in their order.
    pub fn children(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// Everything inside, in its order.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.children
    }

    /// The character data of this element, without that of its children.
    #[must_use]
    pub fn text_content(&self) -> Cow<'_, str> {
        let mut texts = self.children.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        match (texts.next(), texts.next()) {
            (None, _) => Cow::Borrowed(""),
            (Some(only), None) => Cow::Borrowed(only),
            (Some(first), Some(second)) => {
                let mut all = String::from(first) + second;
                all.extend(texts);
                Cow::Owned(all)
            }
        }
    }

    /// Appends the element for a place whose default namespace is `jabber:client`.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.write_inside(out, namespace::CLIENT);
    }

    /// Appends the element for a place whose default namespace is `default`.
    pub fn write_inside(&self, out: &mut Vec<u8>, default: &str) {
        out.push(b'<');
        out.extend_from_slice(self.name.as_bytes());
        if self.namespace != default {
            write_attribute(out, "xmlns", &self.namespace);
        }
        for (number, attribute) in self.attributes.iter().enumerate() {
            if attribute.namespace.is_empty() {
                write_attribute(out, &attribute.name, &attribute.value);
            } else {
                // Each gets a prefix of its own: such attributes are rare, and two prefixes of one
                // namespace are no fault as long as the names differ.
                let prefix = format!("a{number}");
                write_attribute(out, &format!("xmlns:{prefix}"), &attribute.namespace);
                write_attribute(out, &format!("{prefix}:{}", attribute.name), &attribute.value);
            }
        }
        if self.children.is_empty() {
            out.extend_from_slice(b"/>");
            return;
        }
        out.push(b'>');
        for node in &self.children {
            match node {
                Node::Element(child) => child.write_inside(out, &self.namespace),
                Node::Text(text) => escape::text(out, text),
            }
        }
        out.extend_from_slice(b"</");
        out.extend_from_slice(self.name.as_bytes());
        out.push(b'>');
    }

    /// The element as text that stands alone.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut out = Vec::new();
        self.write_inside(&mut out, "");
        String::from_utf8(out).unwrap_or_default()
    }

    fn push_text(&mut self, text: &str) {
        match self.children.last_mut() {
            _ if text.is_empty() => {}
            Some(Node::Text(before)) => before.push_str(text),
            Some(Node::Element(_)) | None => self.children.push(Node::Text(text.to_owned())),
        }
    }
}

fn write_attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"='");
    escape::attribute(out, value);
    out.push(b'\'');
}

#[cfg(test)]
mod tests;
