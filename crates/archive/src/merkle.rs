//! The Merkle tree of RFC 9162 §2.1 (the same tree as RFC 6962 §2.1): hashes, roots, proofs. It
//! does not know where the hashes lie.

use aws_lc_rs::digest::{Context, SHA256};

/// SHA-256 output.
pub type Digest = [u8; 32];

/// SHA-256 over the parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// The hash of a leaf.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Digest {
    sha256(&[&[0], entry]) // RFC 9162 §2.1.1
}

/// The hash of an inner node.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    sha256(&[&[1], left, right]) // RFC 9162 §2.1.1
}

/// The root of a tree without leaves.
#[must_use]
pub fn empty_root() -> Digest {
    sha256(&[]) // RFC 9162 §2.1.1
}

/// Where hashes of whole subtrees come from.
pub trait Nodes {
    /// What can go wrong when a hash is fetched.
    type Fault;

    /// The hash of the subtree over the leaves `index << height .. (index + 1) << height`.
    fn node(&mut self, height: u32, index: u64) -> Result<Digest, Self::Fault>;
}

/// The hash over the leaves `start .. end`, as the RFC's MTH; `start` must be a multiple of the
/// largest power of two below the length, as it is wherever the RFC uses it.
pub fn range_hash<N: Nodes>(nodes: &mut N, start: u64, end: u64) -> Result<Digest, N::Fault> {
    let len = end.saturating_sub(start);
    if len == 0 {
        return Ok(empty_root());
    }
    if len.is_power_of_two() && start.is_multiple_of(len) {
        return nodes.node(len.trailing_zeros(), start / len);
    }
    let middle = start + split(len);
    let left = range_hash(nodes, start, middle)?;
    let right = range_hash(nodes, middle, end)?;
    Ok(node_hash(&left, &right))
}

/// The path that proves that leaf `index` is in the tree of `size` leaves.
/// None if it is not.
pub fn inclusion_proof<N: Nodes>(
    nodes: &mut N,
    index: u64,
    size: u64,
) -> Result<Option<Vec<Digest>>, N::Fault> {
    if index >= size {
        return Ok(None);
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start); // RFC 9162 §2.1.3.1
        if index < middle {
            path.push(range_hash(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(range_hash(nodes, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// The path that proves that the tree of `size` leaves extends the tree of `older` leaves.
/// None if `older` is zero or greater than `size`.
pub fn consistency_proof<N: Nodes>(
    nodes: &mut N,
    older: u64,
    size: u64,
) -> Result<Option<Vec<Digest>>, N::Fault> {
    if older == 0 || older > size {
        return Ok(None);
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    let mut whole = true;
    while older != end {
        let middle = start + split(end - start); // RFC 9162 §2.1.4.1
        if older <= middle {
            path.push(range_hash(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(range_hash(nodes, start, middle)?);
            start = middle;
            whole = false;
        }
    }
    if !whole {
        path.push(range_hash(nodes, start, end)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// Whether `path` proves that `leaf` is number `index` of the `size` leaves under `root`.
#[must_use]
pub fn inclusion_holds(
    leaf: &Digest,
    index: u64,
    size: u64,
    path: &[Digest],
    root: &Digest,
) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last) = (index, size - 1); // RFC 9162 §2.1.3.2
    let mut hash = *leaf;
    for part in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(part, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, part);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `path` proves that the `size` leaves under `root` begin with the `older` leaves under
/// `older_root`.
#[must_use]
pub fn consistency_holds(
    older: u64,
    older_root: &Digest,
    size: u64,
    root: &Digest,
    path: &[Digest],
) -> bool {
    if older == size {
        return path.is_empty() && older_root == root;
    }
    if older == 0 {
        return path.is_empty() && *older_root == empty_root();
    }
    if older > size {
        return false;
    }
    let (mut place, mut last) = (older - 1, size - 1); // RFC 9162 §2.1.4.2
    let whole = older.is_power_of_two();
    let mut path = path.iter();
    let Some(first) = (if whole { Some(older_root) } else { path.next() }) else { return false };
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut older_hash, mut hash) = (*first, *first);
    for part in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            older_hash = node_hash(part, &older_hash);
            hash = node_hash(part, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, part);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && older_hash == *older_root && hash == *root
}

/// The largest power of two below `len`; `len` is at least two.
fn split(len: u64) -> u64 {
    1 << (len - 1).ilog2()
}
