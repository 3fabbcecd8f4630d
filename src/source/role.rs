//! What a mailbox is for, told by its name, in the languages that mail programs speak.
//!
//! Pure. Servers that know SPECIAL-USE (RFC 6154) say it themselves; this table is for the others
//! and for folders on disk.

use super::SkipReason;
use crate::model::Role;

/// What a mailbox is for, as far as its name or the server tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Where mail arrives.
    Inbox,
    /// What was sent.
    Sent,
    /// All mail of the account.
    All,
    /// What was never sent.
    Drafts,
    /// Spam.
    Junk,
    /// What was deleted.
    Trash,
    /// Anything else.
    Other,
}

impl Purpose {
    /// The role under which such a mailbox is read, or why it is not.
    ///
    /// # Errors
    /// The reason not to read it.
    pub const fn role(self) -> Result<Role, SkipReason> {
        match self {
            Self::Inbox => Ok(Role::Inbox),
            Self::Sent => Ok(Role::Sent),
            Self::All => Ok(Role::All),
            Self::Other => Ok(Role::Other),
            Self::Drafts => Err(SkipReason::Drafts),
            Self::Junk => Err(SkipReason::Junk),
            Self::Trash => Err(SkipReason::Trash),
        }
    }
}

/// The purpose that the last part of a decoded mailbox name (`Sent Items`, `Gesendet`) stands for.
#[must_use]
pub fn by_name(name: &str) -> Purpose {
    let name = name.trim().to_lowercase();
    TABLE
        .iter()
        .find(|(_, names)| names.split('|').any(|known| known.trim() == name))
        .map_or(Purpose::Other, |(purpose, _)| *purpose)
}

/// The purpose of a mailbox by the levels of its name, for those levels at which mail programs keep
/// such mailboxes: the top, below INBOX (Courier, Cyrus) and below Gmail's own folder. A customer's
/// folder named `Sent` is no such mailbox.
#[must_use]
pub fn by_levels(levels: &[String]) -> Purpose {
    match levels {
        [name] => by_name(name),
        [above, name] if is_root(above) => by_name(name),
        _ => Purpose::Other,
    }
}

fn is_root(name: &str) -> bool {
    ["inbox", "[gmail]", "[google mail]"].contains(&name.to_lowercase().as_str())
}

/// Lower-case names by purpose, separated by `|`: what Outlook, Exchange, Thunderbird, Apple Mail, Gmail and the
/// large providers create in each language. A name that is ambiguous between two is left out.
const TABLE: &[(Purpose, &str)] = &[
    (Purpose::Inbox, "inbox"),
    (Purpose::Sent, SENT),
    (Purpose::Drafts, DRAFTS),
    (Purpose::Junk, JUNK),
    (Purpose::Trash, TRASH),
];

const SENT: &str = "
    sent | sent items | sent messages | sent mail | sent-mail | sentmail | sent_items |
    sent objects | gesendet | gesendete | gesendete elemente | gesendete objekte |
    gesendete nachrichten | gesendete e-mails | gesendete mails | envoyés | envoyes |
    éléments envoyés | messages envoyés | courriers envoyés | courrier envoyé |
    objets envoyés | enviados | elementos enviados | correo enviado | mensajes enviados |
    enviadas | itens enviados | mensagens enviadas | e-mails enviados | enviats |
    elements enviats | inviati | posta inviata | elementi inviati | messaggi inviati |
    inviata | verzonden | verzonden items | verzonden berichten | verstuurd |
    verzonden objecten | skickat | skickade | skickade objekt | skickade meddelanden | sendt |
    sendte | sendt post | sendte elementer | sendte meldinger | sendte e-mails | lähetetyt |
    lähetetyt viestit | saadetud | saadetud kirjad | wysłane | elementy wysłane |
    wiadomości wysłane | odeslaná pošta | odeslané | odoslané | odoslaná pošta | elküldött |
    elküldött elemek | elküldött üzenetek | poslano | poslane | poslana pošta |
    poslane stavke | poslata | trimise | mesaje trimise | elemente trimise | išsiųsta |
    išsiųsti laiškai | nosūtīts | nosūtītie | nosūtītie vienumi | отправленные | отправлено |
    надіслані | відправлені | изпратени | изпратена поща | послато | послате | пратено |
    απεσταλμένα | στοιχεία απεσταλμένα | απεσταλμένα στοιχεία | gönderilmiş | gönderilenler |
    gönderilmiş öğeler | gönderilmiş postalar | gönderilen | gönderilmiş postalarım | 已发送 |
    已发送邮件 | 已发邮件 | 已傳送的郵件 | 寄件備份 | 已寄郵件 | 寄件匣備份 | 送信済み | 送信済みアイテム | 送信済みメール | 送信済みトレイ |
    보낸 편지함 | 보낸편지함 | 보낸 메일함 | 보낸메일함 | đã gửi | thư đã gửi | terkirim | item terkirim |
    dihantar | รายการที่ส่ง | จดหมายที่ส่งแล้ว | ส่งแล้ว | נשלח | פריטים שנשלחו | דואר שנשלח |
    المرسلة | العناصر المرسلة | البريد المرسل | الرسائل المرسلة | ارسال شده | भेजे गए |
    भेजे गए आइटम";

const DRAFTS: &str = "
    drafts | draft | entwürfe | entwurf | brouillons | brouillon | borradores | borrador |
    esborranys | rascunhos | rascunho | bozze | bozza | concepten | utkast | kladder | kladde |
    luonnokset | luonnos | mustandid | kopie robocze | wersje robocze | szkice | robocze |
    koncepty | rozepsané | rozpísané | piszkozatok | piszkozat | osnutki | skice | ciorne |
    schițe | juodraščiai | melnraksti | черновики | черновик | чернетки | чернови | πρόχειρα |
    taslaklar | taslak | 草稿 | 草稿箱 | 草稿匣 | 下書き | 임시 보관함 | 임시보관함 | 임시 보관 메일 | thư nháp |
    bản nháp | draf | konsep | แบบร่าง | ร่างจดหมาย | טיוטות | المسودات | مسودات |
    پیش‌نویس‌ها | ड्राफ़्ट | template | templates | vorlagen | modèles | plantillas | modelli |
    sjablonen | outbox | postausgang | boîte d'envoi | bandeja de salida | posta in uscita |
    unsent | unsent messages";

const JUNK: &str = "
    junk | spam | junk e-mail | junk email | junk mail | junk-e-mail | bulk mail |
    spamverdacht | unerwünscht | junk-mail | courrier indésirable | indésirables | pourriel |
    courriers indésirables | correo no deseado | correo basura | no deseado | correu brossa |
    lixo eletrônico | lixo eletrónico | lixo electrónico | lixo | posta indesiderata |
    indesiderata | ongewenste e-mail | ongewenst | skräppost | uønsket | uønsket post |
    uønsket e-mail | søppelpost | roskaposti | rämpspost | wiadomości-śmieci | niechciane |
    wiadomości śmieci | nevyžádaná pošta | nevyžádané | nevyžiadaná pošta | levélszemét |
    neželena pošta | neželjena pošta | mesaje nedorite | e-mail nedorit | brukalas | mēstules |
    спам | нежелательная почта | небажана пошта | нежелана поща | ανεπιθύμητα |
    ανεπιθύμητη αλληλογραφία | gereksiz | önemsiz | önemsiz e-posta | istenmeyen | 垃圾邮件 |
    垃圾郵件 | 迷惑メール | 정크 메일 | 스팸 | 스팸메일함 | 스팸 메일함 | thư rác | email sampah | อีเมลขยะ |
    จดหมายขยะ | דואר זבל | זבל | البريد العشوائي | بريد إلكتروني غير هام | هرزنامه | स्पैम";

const TRASH: &str = "
    trash | deleted | deleted items | deleted messages | bin | wastebasket | deleted-items |
    papierkorb | gelöscht | gelöschte elemente | gelöschte objekte | gelöschte nachrichten |
    corbeille | éléments supprimés | messages supprimés | poubelle | papelera | eliminados |
    elementos eliminados | mensajes eliminados | paperera | elements suprimits | lixeira |
    itens excluídos | itens eliminados | excluídos | cestino | posta eliminata | eliminati |
    elementi eliminati | prullenbak | verwijderd | verwijderde items | verwijderde berichten |
    papperskorgen | papperskorg | borttaget | borttagna objekt | papirkurv | papirkurven |
    slettet post | slettede elementer | slettede | søppel | roskakori | poistetut |
    poistetut viestit | prügikast | kustutatud | kosz | elementy usunięte | usunięte | koš |
    odstraněná pošta | odstraněné | kôš | odstránená pošta | vymazané | lomtár |
    törölt elemek | törölt | smeti | izbrisano | smeće | obrisano | coș de gunoi |
    coş de gunoi | elemente șterse | șterse | šiukšlinė | šiukšliadėžė | ištrinti laiškai |
    miskaste | atkritne | dzēstie | корзина | удаленные | удалённые | кошик | видалені |
    кошче | изтрити | κάδος | κάδος απορριμμάτων | διαγραμμένα | διεγραμμένα | çöp |
    çöp kutusu | silinmiş | silinmiş öğeler | silinenler | 已删除 | 已删除邮件 | 废件箱 | 垃圾箱 | 刪除的郵件 |
    垃圾桶 | 已刪除的郵件 | ごみ箱 | ゴミ箱 | 削除済みアイテム | 휴지통 | 지운 편지함 | 지운편지함 | thùng rác | đã xóa | sampah |
    item dihapus | ถังขยะ | รายการที่ถูกลบ | אשפה | פריטים שנמחקו | المهملات | سلة المهملات |
    العناصر المحذوفة | المحذوفة | زباله‌دان | ट्रैश";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_purpose_in_many_languages() {
        for (name, purpose) in [
            ("INBOX", Purpose::Inbox),
            ("Sent Items", Purpose::Sent),
            ("SENT", Purpose::Sent),
            ("Gesendete Objekte", Purpose::Sent),
            ("Éléments envoyés", Purpose::Sent),
            ("Отправленные", Purpose::Sent),
            ("送信済みメール", Purpose::Sent),
            ("Entwürfe", Purpose::Drafts),
            ("Junk E-mail", Purpose::Junk),
            ("Papierkorb", Purpose::Trash),
            ("Удалённые", Purpose::Trash),
            ("Sentinel project", Purpose::Other),
            ("Archive", Purpose::Other),
            ("", Purpose::Other),
        ] {
            assert_eq!(by_name(name), purpose, "{name}");
        }
    }

    #[test]
    fn the_table_can_be_matched_and_does_not_contradict_itself() {
        let mut seen = std::collections::HashMap::new();
        for (purpose, names) in TABLE {
            for name in names.split('|').map(str::trim) {
                assert_eq!(name, name.to_lowercase(), "never matches: {name}");
                assert!(!name.is_empty(), "{purpose:?}");
                let before = seen.insert(name, *purpose);
                assert!(before.is_none(), "{name} stands for {before:?} and {purpose:?}");
            }
        }
    }
}
