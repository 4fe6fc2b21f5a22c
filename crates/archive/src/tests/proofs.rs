//! The tree against the vectors of RFC 6962's reference and against the definition, and proofs.

use proptest::prelude::*;

use crate::{
    Digest, Nodes, consistency_holds, consistency_proof, empty_root, inclusion_holds,
    inclusion_proof, leaf_hash, node_hash, range_hash, tile::Edge,
};

/// A tree whose leaves are all at hand, hashed as the RFC defines it.
struct Leaves(Vec<Digest>);

impl Nodes for Leaves {
    type Fault = ();

    fn node(&mut self, height: u32, index: u64) -> Result<Digest, ()> {
        let start = (index << height) as usize;
        Ok(mth(self.0.get(start..start + (1 << height)).ok_or(())?))
    }
}

/// RFC 9162 §2.1.1, word by word.
fn mth(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            node_hash(&mth(&leaves[..split]), &mth(&leaves[split..]))
        }
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// The leaves of the reference implementation's tests.
fn reference() -> Vec<Digest> {
    let inputs = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    inputs.iter().map(|input| leaf_hash(&hex(input))).collect()
}

/// Roots of the reference implementation for sizes 1 to 8 (certificate-transparency,
/// merkle_tree_test).
#[test]
fn roots_are_those_of_the_reference() {
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves = reference();
    let mut edge = Edge::new();
    for (leaf, root) in leaves.iter().zip(roots) {
        edge.push(*leaf, |_, _, _| {});
        assert_eq!(edge.root().to_vec(), hex(root));
        let size = edge.size();
        assert_eq!(range_hash(&mut Leaves(leaves.clone()), 0, size).unwrap().to_vec(), hex(root));
    }
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(empty_root().to_vec(), hex(empty));
}

/// Paths of the reference implementation.
#[test]
fn paths_are_those_of_the_reference() {
    let mut nodes = Leaves(reference());
    let path = inclusion_proof(&mut nodes, 5, 8).unwrap().unwrap();
    let expected = [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(path.iter().map(|hash| hash.to_vec()).collect::<Vec<_>>(), expected.map(hex));
    let path = consistency_proof(&mut nodes, 6, 8).unwrap().unwrap();
    let expected = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(path.iter().map(|hash| hash.to_vec()).collect::<Vec<_>>(), expected.map(hex));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// N1 and N2 hold for every size and place, and for nothing else.
    #[test]
    fn proofs_hold_and_hold_for_nothing_else(size in 1_u64..700, older in 1_u64..700, index in 0_u64..700, flip in 0_usize..400) {
        let (older, index) = (older.min(size), index % size);
        let all: Vec<Digest> = (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let (root, older_root) = (mth(&all), mth(&all[..older as usize]));
        let mut edge = Edge::new();
        all.iter().for_each(|leaf| edge.push(*leaf, |_, _, _| {}));
        prop_assert_eq!(edge.root(), root);

        let leaf = all[index as usize];
        let mut nodes = Leaves(all);
        let path = inclusion_proof(&mut nodes, index, size).unwrap().unwrap();
        prop_assert!(inclusion_holds(&leaf, index, size, &path, &root));
        prop_assert!(!inclusion_holds(&leaf, index + 1, size, &path, &root));
        prop_assert!(!inclusion_holds(&leaf_hash(b"other"), index, size, &path, &root));
        let mut longer = path.clone();
        longer.push(root);
        prop_assert!(!inclusion_holds(&leaf, index, size, &longer, &root));
        if !path.is_empty() {
            let mut changed = path.clone();
            let at = flip % changed.len();
            changed[at][flip % 32] ^= 1;
            prop_assert!(!inclusion_holds(&leaf, index, size, &changed, &root));
            prop_assert!(!inclusion_holds(&leaf, index, size, &path[1..], &root));
        }

        let path = consistency_proof(&mut nodes, older, size).unwrap().unwrap();
        prop_assert!(consistency_holds(older, &older_root, size, &root, &path));
        let mut other = older_root;
        other[flip % 32] ^= 1;
        prop_assert!(!consistency_holds(older, &other, size, &root, &path));
        if !path.is_empty() {
            let mut changed = path;
            let at = flip % changed.len();
            changed[at][flip % 32] ^= 1;
            prop_assert!(!consistency_holds(older, &older_root, size, &root, &changed));
        }
        prop_assert!(inclusion_proof(&mut nodes, size, size).unwrap().is_none());
        prop_assert!(consistency_proof(&mut nodes, size + 1, size).unwrap().is_none());
    }
}
