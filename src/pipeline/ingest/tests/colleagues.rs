//! Mail among reps is counted once, whatever order its copies come in, and makes no relationship.

use proptest::prelude::*;

use super::orders::orders;
use super::story::{Found, story};
use super::world::{Mailbox, World, day, envelope, key};
use crate::model::{Automated, Envelope, Timestamp};
use crate::store::colleague;

use Mailbox::{Archive, Inbox, Sent};

/// What the first rep has written to the second, and the second to the first.
fn between(world: &World) -> [Vec<(Timestamp, u32)>; 2] {
    let (ann, bob) = (world.reps[0], world.reps[1]);
    world
        .write(move |db| Ok([colleague::sent(db, ann, bob)?, colleague::sent(db, bob, ann)?]))
        .unwrap()
}

fn automated(mut envelope: Envelope) -> Envelope {
    envelope.automated = Some(Automated::AutoReply);
    envelope
}

fn under(mut envelope: Envelope, id: &str) -> Envelope {
    envelope.key = key(id);
    envelope
}

#[test]
fn a_message_to_a_colleague_is_kept_once_if_its_writer_has_it() {
    let one = envelope("m1", "ann>bob", 1.0);
    let wider = envelope("m1", "ann>bob,bo", 1.0);
    let back = envelope("m2", "bob@old.example>ann,carl", 2.0);
    let (ours, both) = (vec![(day(1.0), 1)], vec![(day(1.0), 2)]);
    for (what, copies, expected) in [
        ("only in an inbox", vec![(Inbox, one.clone())], [vec![], vec![]]),
        ("in Sent", vec![(Sent, one.clone())], [ours.clone(), vec![]]),
        ("in both", vec![(Sent, one.clone()), (Inbox, one.clone())], [ours.clone(), vec![]]),
        (
            "delivered again under another id",
            vec![(Sent, one.clone()), (Inbox, under(one.clone(), "m9"))],
            [ours.clone(), vec![]],
        ),
        (
            "a copy that has more recipients",
            vec![(Sent, one.clone()), (Archive, wider.clone())],
            [both.clone(), vec![]],
        ),
        ("with a contact in copy", vec![(Sent, wider)], [both, vec![]]),
        (
            "a machine's",
            vec![(Sent, one.clone()), (Inbox, automated(one.clone()))],
            [vec![], vec![]],
        ),
        ("both ways", vec![(Sent, one), (Sent, back)], [ours, vec![(day(2.0), 2)]]),
    ] {
        for order in orders(copies.len()) {
            let world = World::new();
            for n in order.iter().chain(order.first()) {
                let (mailbox, copy) = &copies[*n];
                world.mail(0, *mailbox, std::slice::from_ref(copy), day(9.0));
            }
            assert_eq!(between(&world), expected, "{what}, in the order {order:?}");
        }
    }
}

fn read(copies: &[Found]) -> World {
    let world = World::new();
    for copy in copies {
        world.mail(copy.rep, copy.mailbox, std::slice::from_ref(&copy.envelope), day(60.0));
    }
    world.settle(day(60.0));
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_copies_does_not_matter(
        (copies, shuffled) in story(14).prop_flat_map(|story| {
            (Just(story.copies.clone()), Just(story.copies).prop_shuffle())
        }),
    ) {
        prop_assert_eq!(between(&read(&copies)), between(&read(&shuffled)));
    }
}
