//! A stream says the same whatever pieces it comes in, and never more than its limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xmpp::{
    fault::StreamFault,
    frame::{Frame, Framer},
    limits::Limits,
};

/// Small, so that short inputs reach every limit.
const LIMITS: Limits = Limits {
    frame_bytes_max: 512,
    depth_max: 5,
    attributes_max: 4,
    declarations_max: 3,
    name_bytes_max: 24,
    elements_max: 12,
};

fn frames(bytes: &[u8], mut piece: impl FnMut() -> usize) -> (Vec<Frame>, Option<StreamFault>) {
    let mut framer = Framer::new(LIMITS);
    let mut frames = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(piece().clamp(1, rest.len()));
        framer.push(now);
        rest = later;
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => {
                    if let Frame::Stanza(stanza) = &frame {
                        assert!(stanza.as_str().len() <= LIMITS.frame_bytes_max);
                    }
                    frames.push(frame);
                }
                Ok(None) => break,
                Err(fault) => return (frames, Some(fault)),
            }
        }
        assert!(framer.pending_bytes() <= LIMITS.frame_bytes_max + now.len());
    }
    (frames, None)
}

fuzz_target!(|data: &[u8]| {
    let Some((&seed, stream)) = data.split_first() else { return };
    let whole = frames(stream, || usize::MAX);
    assert_eq!(whole, frames(stream, || 1));
    let mut state = u32::from(seed) | 1;
    let pieces = frames(stream, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 27) as usize
    });
    assert_eq!(whole, pieces);
});
