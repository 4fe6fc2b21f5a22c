//! The judge: may this message go, to whom, and what is to be recorded. Pure: the same facts and
//! the same submission give the same verdict. A fact that could not be had is `Unknown`, and what
//! needs it refuses. Only this module makes an [`Admitted`].

use std::sync::Arc;

use model::{Address, Origin, PrivacyClass, Recipient, Submission, Timestamp};

use crate::{
    access::Access,
    lexicon::{Audience, LexiconAction, Reading},
    profile::Profile,
};

/// Something that the judge needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Fact<T> {
    /// It is so.
    Known(T),
    /// It could not be found out in time.
    #[default]
    Unknown,
}

/// What is known about a submission.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The instant of the decision.
    pub now: Timestamp,
    /// The policy version that the facts come from (POL-25).
    pub policy_version: u64,
    /// What is in force for the sender.
    pub sender: Fact<Arc<Profile>>,
    /// One for each recipient, in the submission's order; one that is missing is unknown.
    pub recipients: Vec<RecipientFacts>,
    /// The sender was asked about this very message and confirmed it.
    pub confirmed: bool,
    /// A supervisor let this very message go on; counts only with [`Origin::Release`].
    pub released: bool,
}

/// What is known about one recipient.
#[derive(Clone, Debug, Default)]
pub struct RecipientFacts {
    /// Lives in the domain of the house.
    pub local: Fact<bool>,
    /// Is there; asked only of local ones.
    pub exists: Fact<bool>,
    /// Whether the sender may message the recipient.
    pub access: Fact<Access>,
    /// What is in force for the recipient; asked only of local ones.
    pub profile: Fact<Arc<Profile>>,
    /// The recipient has blocked the sender (POL-03).
    pub blocked: Fact<bool>,
    /// The sender has blocked the recipient.
    pub blocking: Fact<bool>,
}

/// The verdict on one submission.
pub struct Judged {
    /// What was judged.
    pub submission: Arc<Submission>,
    /// The message and the recipients to whom it may go, if there is one.
    pub admitted: Option<Admitted>,
    /// The recipients to whom it may not go.
    pub refused: Vec<Refused>,
    /// What the sender is told at once (MON-03).
    pub notices: Vec<Notice>,
}

/// A message that may go. Nobody else can make one, and it cannot be copied.
pub struct Admitted {
    submission: Arc<Submission>,
    recipients: Vec<AdmittedRecipient>,
    disposition: Disposition,
    fired: Arc<[Fired]>,
    policy_version: u64,
    archive: bool,
    sender_history: bool,
}

/// A recipient to whom a message may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdmittedRecipient {
    /// Place in the submission's recipients.
    pub index: usize,
    /// Lives in the domain of the house.
    pub local: bool,
    /// Kept in the recipient's own history.
    pub history: bool,
}

/// What happens to an admitted message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Disposition {
    /// It goes on.
    Deliver,
    /// It waits for a supervisor, for all recipients.
    Hold,
}

/// A recipient to whom a message may not go, and why.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The recipient.
    pub recipient: Recipient,
    /// Place in the submission's recipients.
    pub index: usize,
    /// Why.
    pub reason: Reason,
    /// What the sender may read.
    pub public: Arc<str>,
    /// What the record says: names rules and limits.
    pub private: String,
    /// The lexicon rules that found something.
    pub fired: Arc<[Fired]>,
}

/// A lexicon rule that found something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fired {
    /// The rule's name.
    pub rule: Arc<str>,
    /// What it asks for.
    pub action: LexiconAction,
}

/// What the sender of an admitted message is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// The sender.
    pub to: Address,
    /// The rule's name.
    pub rule: Arc<str>,
    /// [`LexiconAction::Warn`] or [`LexiconAction::Hold`].
    pub action: LexiconAction,
    /// What to show.
    pub text: Arc<str>,
}

/// Why a message may not go to a recipient.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Reason {
    /// A fact is missing; later it may go.
    Unavailable,
    /// The service is closed to the sender at this hour (POL-16, POL-17).
    Closed,
    /// Larger than the sender or the recipient may handle.
    TooLarge,
    /// The sender or the recipient may not handle this privacy class.
    Class,
    /// Nobody of that name lives here.
    NoSuchRecipient,
    /// Access rules forbid it.
    Forbidden,
    /// The recipient has blocked the sender. What the sender is told of it is the edge's business;
    /// the public text reveals nothing.
    Blocked,
    /// The sender has blocked the recipient and must lift that first.
    Blocking,
    /// A lexicon rule asks the sender to confirm.
    Confirm,
    /// A lexicon rule blocks it.
    Lexicon,
}

/// Judges a submission, each recipient on its own. Hours, class and size of the sender's and what
/// the lexicon says hold for all of them: a message is not one thing to a colleague and another to
/// a customer.
#[must_use]
pub fn judge(facts: &Facts, submission: Submission) -> Judged {
    let submission = Arc::new(submission);
    let case = Case { facts, submission: &submission };
    let sender = case.sender();
    let finds = sender.as_ref().map(|sender| case.find(sender)).unwrap_or_default();
    let fired: Arc<[Fired]> = finds.iter().map(|find| find.fired.clone()).collect();
    let message = sender.and_then(|sender| case.judge_message(sender).map(|()| sender));
    let ruling = case.rule(&finds);

    let (mut recipients, mut refused) = (Vec::new(), Vec::new());
    for (index, recipient) in submission.recipients.iter().enumerate() {
        let judged =
            message.as_ref().map_err(Clone::clone).and_then(|_| case.judge_recipient(index));
        let judged = judged.and_then(|pass| match &ruling {
            Ruling::Refuse(grounds) => Err(grounds.clone()),
            Ruling::Pass(_) => Ok(pass),
        });
        match judged {
            Ok(pass) => recipients.push(pass),
            Err(Grounds { reason, public, private }) => refused.push(Refused {
                recipient: recipient.clone(),
                index,
                reason,
                public: public.unwrap_or_else(|| reason.text().into()),
                private,
                fired: Arc::clone(&fired),
            }),
        }
    }

    let (Ok(sender), Ruling::Pass(disposition), false) = (message, ruling, recipients.is_empty())
    else {
        return Judged { submission, admitted: None, refused, notices: Vec::new() };
    };
    let notices = case.notices(&finds, disposition);
    let archive = sender.archive || case.archived_by_any(&recipients);
    let sender_history = case.keeps_history(sender);
    let admitted = Admitted {
        submission: Arc::clone(&submission),
        recipients,
        disposition,
        fired,
        policy_version: facts.policy_version,
        archive,
        sender_history,
    };
    Judged { submission, admitted: Some(admitted), refused, notices }
}

/// A submission before the judge.
struct Case<'a> {
    facts: &'a Facts,
    submission: &'a Submission,
}

/// A rule that found something, with what it says to the sender.
struct Find {
    fired: Fired,
    text: Option<Arc<str>>,
}

/// What the lexicon comes to.
enum Ruling {
    Pass(Disposition),
    Refuse(Grounds),
}

/// Why not. No public text stands for the neutral sentence of the reason.
#[derive(Clone)]
struct Grounds {
    reason: Reason,
    public: Option<Arc<str>>,
    private: String,
}

impl Grounds {
    fn new(reason: Reason, private: impl Into<String>) -> Self {
        Self { reason, public: None, private: private.into() }
    }

    fn unknown(what: &str) -> Self {
        Self::new(Reason::Unavailable, format!("not known in time: {what}"))
    }
}

impl<'a> Case<'a> {
    /// The sender's profile. One that has run out is as good as none.
    fn sender(&self) -> Result<&'a Profile, Grounds> {
        self.fresh(&self.facts.sender).ok_or_else(|| Grounds::unknown("the sender's profile"))
    }

    fn fresh(&self, profile: &'a Fact<Arc<Profile>>) -> Option<&'a Profile> {
        profile.known().map(Arc::as_ref).filter(|profile| profile.is_fresh(self.facts.now))
    }

    /// What holds whoever the recipient is.
    fn judge_message(&self, sender: &Profile) -> Result<(), Grounds> {
        if !sender.open && self.submission.origin != Origin::House {
            let public = format!("The service is open to you {}.", sender.hours);
            let mut grounds = Grounds::new(Reason::Closed, format!("open {}", sender.hours));
            grounds.public = Some(public.into());
            return Err(grounds);
        }
        self.fits(sender, "sender")
    }

    /// Size and class, of either side.
    fn fits(&self, profile: &Profile, side: &str) -> Result<(), Grounds> {
        let (size, limit) = (self.submission.content.size(), profile.message_bytes_max);
        if u64::try_from(size).map_or(true, |size| size > limit) {
            let mut grounds = Grounds::new(
                Reason::TooLarge,
                format!("{size} bytes; the {side}'s message.max_bytes is {limit}"),
            );
            grounds.public = Some(format!("The message is larger than {limit} bytes.").into());
            return Err(grounds);
        }
        let class = self.submission.class;
        if !profile.classes.contains(class) {
            let private = format!("{} is not in the {side}'s message.classes", class.name());
            return Err(Grounds::new(Reason::Class, private));
        }
        Ok(())
    }

    fn judge_recipient(&self, index: usize) -> Result<AdmittedRecipient, Grounds> {
        let unknown = || Grounds::unknown("the recipient");
        let facts = self.facts.recipients.get(index).ok_or_else(unknown)?;
        let know = |fact: &Fact<bool>, what: &str| {
            fact.known().copied().ok_or_else(|| Grounds::unknown(what))
        };
        let local = know(&facts.local, "where the recipient lives")?;
        if local && !know(&facts.exists, "whether the recipient exists")? {
            return Err(Grounds::new(Reason::NoSuchRecipient, "nobody of that name"));
        }
        self.may(&facts.access)?;
        if know(&facts.blocking, "the sender's block list")? {
            return Err(Grounds::new(Reason::Blocking, "on the sender's block list"));
        }
        if know(&facts.blocked, "the recipient's block list")? {
            return Err(Grounds::new(Reason::Blocked, "the sender is on their block list"));
        }
        if !local {
            return Ok(AdmittedRecipient { index, local, history: false });
        }
        let profile = self.fresh(&facts.profile);
        let profile = profile.ok_or_else(|| Grounds::unknown("the recipient's profile"))?;
        self.fits(profile, "recipient")?;
        Ok(AdmittedRecipient { index, local, history: self.keeps_history(profile) })
    }

    fn may(&self, access: &Fact<Access>) -> Result<(), Grounds> {
        let fresh = |access: &&Access| access.valid_until.is_none_or(|end| self.facts.now < end);
        let access = access.known().filter(fresh).ok_or_else(|| Grounds::unknown("access"))?;
        if access.allowed {
            return Ok(());
        }
        let private = match access.rules.as_slice() {
            [] => "no rule permits it and access.default does not".to_owned(),
            rules => format!("forbidden by {}", rules.join(", ")),
        };
        Err(Grounds { reason: Reason::Forbidden, public: access.text.clone(), private })
    }

    /// The rules of the sender that find something, in the order of their names. A rule for one
    /// audience counts if one recipient is, or may be, of it.
    fn find(&self, sender: &Profile) -> Vec<Find> {
        let text = &self.submission.content.text;
        if sender.lexicons.is_empty() || text.is_empty() || self.submission.origin == Origin::House
        {
            return Vec::new();
        }
        let reading = Reading::of(text);
        let of = |audience| self.facts.recipients.iter().any(|one| one.may_be_of(audience));
        let lexicons = sender.lexicons.iter();
        let finding = lexicons.filter(|one| of(one.rule.audience) && one.finds(&reading));
        finding
            .map(|lexicon| {
                let rule = &lexicon.rule;
                let text = (!rule.text.is_empty()).then(|| rule.text.as_str().into());
                Find { fired: Fired { rule: rule.name.as_str().into(), action: rule.action }, text }
            })
            .collect()
    }

    /// The strongest action wins (MON-05). A confirmation answers the rules that ask for one; a
    /// supervisor's release answers those and the rules that hold, and nothing else.
    fn rule(&self, finds: &[Find]) -> Ruling {
        let released = self.is_released();
        let answered = |action: LexiconAction| match action {
            LexiconAction::Confirm => self.facts.confirmed || released,
            LexiconAction::Hold => released,
            LexiconAction::Log | LexiconAction::Warn | LexiconAction::Block => false,
        };
        let open = finds.iter().filter(|find| !answered(find.fired.action));
        let strongest = open
            .reduce(|best, find| if find.fired.action > best.fired.action { find } else { best });
        let Some(find) = strongest else { return Ruling::Pass(Disposition::Deliver) };
        let refuse = |reason| {
            let private = format!("lexicon rule {}", find.fired.rule);
            Ruling::Refuse(Grounds { reason, public: find.text.clone(), private })
        };
        match find.fired.action {
            LexiconAction::Log | LexiconAction::Warn => Ruling::Pass(Disposition::Deliver),
            LexiconAction::Confirm => refuse(Reason::Confirm),
            LexiconAction::Hold => Ruling::Pass(Disposition::Hold),
            LexiconAction::Block => refuse(Reason::Lexicon),
        }
    }

    fn is_released(&self) -> bool {
        self.facts.released && self.submission.origin == Origin::Release
    }

    /// A message that waits brings the notice of that and no warning beside it; the warning comes
    /// when it goes on.
    fn notices(&self, finds: &[Find], disposition: Disposition) -> Vec<Notice> {
        let (action, neutral) = match disposition {
            Disposition::Deliver => (LexiconAction::Warn, "This message was noticed by a rule."),
            Disposition::Hold => (LexiconAction::Hold, "This message waits for a supervisor."),
        };
        let told = finds.iter().filter(|find| find.fired.action == action);
        told.map(|find| Notice {
            to: self.submission.sender.clone(),
            rule: Arc::clone(&find.fired.rule),
            action,
            text: find.text.clone().unwrap_or_else(|| neutral.into()),
        })
        .collect()
    }

    /// A secured message is in nobody's history (ENC-04).
    fn keeps_history(&self, profile: &Profile) -> bool {
        profile.history
            && self.submission.handling.history
            && self.submission.class != PrivacyClass::Secured
    }

    fn archived_by_any(&self, recipients: &[AdmittedRecipient]) -> bool {
        let facts = recipients.iter().filter_map(|pass| self.facts.recipients.get(pass.index));
        facts.filter_map(|facts| facts.profile.known()).any(|profile| profile.archive)
    }
}

impl RecipientFacts {
    /// A fact that is not known counts for either audience.
    fn may_be_of(&self, audience: Audience) -> bool {
        match audience {
            Audience::Everyone => true,
            Audience::Inside => self.local != Fact::Known(false),
            Audience::Outside => self.local != Fact::Known(true),
        }
    }
}

impl<T> Fact<T> {
    /// The fact, if it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(fact) => Some(fact),
            Self::Unknown => None,
        }
    }
}

impl<T> From<Option<T>> for Fact<T> {
    fn from(fact: Option<T>) -> Self {
        fact.map_or(Self::Unknown, Self::Known)
    }
}

impl Admitted {
    /// The message as it was submitted.
    #[must_use]
    pub fn submission(&self) -> &Arc<Submission> {
        &self.submission
    }

    /// Those to whom it may go. Never empty, in the submission's order.
    #[must_use]
    pub fn recipients(&self) -> &[AdmittedRecipient] {
        &self.recipients
    }

    /// The same with their addresses.
    pub fn addressed(&self) -> impl Iterator<Item = (&Recipient, AdmittedRecipient)> {
        let all = &self.submission.recipients;
        self.recipients.iter().filter_map(|pass| Some((all.get(pass.index)?, *pass)))
    }

    /// Whether it goes on or waits.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        self.disposition
    }

    /// The lexicon rules that found something.
    #[must_use]
    pub fn fired(&self) -> &[Fired] {
        &self.fired
    }

    /// The policy version of the decision (POL-25).
    #[must_use]
    pub fn policy_version(&self) -> u64 {
        self.policy_version
    }

    /// Whether it is sealed into the archive: one side for whom it is so is enough.
    #[must_use]
    pub fn archive(&self) -> bool {
        self.archive
    }

    /// Whether it is kept in the sender's own history.
    #[must_use]
    pub fn sender_history(&self) -> bool {
        self.sender_history
    }
}

impl Reason {
    /// The word used in records and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Closed => "closed",
            Self::TooLarge => "too-large",
            Self::Class => "class",
            Self::NoSuchRecipient => "no-such-recipient",
            Self::Forbidden => "forbidden",
            Self::Blocked => "blocked",
            Self::Blocking => "blocking",
            Self::Confirm => "confirm",
            Self::Lexicon => "lexicon",
        }
    }

    /// The sentence for the sender where no rule has one of its own.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unavailable => "The message cannot be checked now; try again later.",
            Self::Closed => "The service is closed to you at this hour.",
            Self::TooLarge => "The message is too large.",
            Self::Class => "Messages of this privacy class are not allowed here.",
            Self::NoSuchRecipient => "There is no such recipient.",
            Self::Forbidden => "You may not send messages to this recipient.",
            Self::Blocked => "The message cannot be delivered.",
            Self::Blocking => "You have blocked this recipient.",
            Self::Confirm => "This message must be confirmed before it is sent.",
            Self::Lexicon => "This message is against a rule of the organisation.",
        }
    }
}
