// Hoodiecrow with the habits of Gmail: mailboxes are labels of one store, `[Gmail]/All Mail` holds
// every message with its labels, and messages have thread numbers (X-GM-EXT-1).
//
// node gmail.js PORT all|hidden USER PASSWORD TOKEN: whether IMAP shows All Mail, and who may log in.
'use strict';

const hoodiecrow = require('hoodiecrow-imap');
const handlers = require('hoodiecrow-imap/lib/commands/handlers/fetch');

const [port, view, user, password, accessToken] = process.argv.slice(2);
const ALL = '[Gmail]/All Mail';
const NOT_IN_ALL = ['[Gmail]/Spam', '[Gmail]/Trash'];

/** Labels as Gmail writes them: quoted, and a draft is one `\Draft`. */
const label = (name) => (name === '\\Drafts' ? '\\Draft' : name);

/** The number of the thread of a message: that of the one it answers, by Message-ID or subject. */
function threading() {
  const threads = new Map();
  return (raw, own) => {
    const field = (name) => (new RegExp(`^${name}:\\s*(.*)$`, 'im').exec(raw) || [])[1] || '';
    const [parent, subject] = [field('In-Reply-To').trim(), field('Subject').trim()];
    const answered = subject.replace(/^Re: /, '');
    const thread =
      threads.get(parent) || (!parent && answered !== subject && threads.get(answered)) || own;
    threads.set(field('Message-ID').trim(), thread);
    threads.set(answered, thread);
    return thread;
  };
}

/**
 * Parts of a section, `<0.1000>`: Hoodiecrow forgets the length after the first message, and sends
 * the others without any bytes.
 */
function partial(connection, message, query) {
  if (!query.partial) return handlers['BODY.PEEK'](connection, message, query);
  query.asked = query.asked || [...query.partial];
  const found = { ...query, partial: [...query.asked] };
  query.partial = [query.asked[0]];
  return handlers['BODY.PEEK'](connection, message, found);
}

function labels(server) {
  const threadOf = threading();
  server.registerCapability('X-GM-EXT-1');
  // After the first message of an answer it takes the one for the other.
  server.fetchHandlers['BODY.PEEK'] = partial;
  server.fetchHandlers.BODY = partial;
  server.fetchHandlers['X-GM-THRID'] = (_, message) => ({ type: 'ATOM', value: message.thread });
  server.fetchHandlers['X-GM-LABELS'] = (_, message) =>
    message['X-GM-LABELS'].map((name) => ({ type: 'STRING', value: label(name) }));
  server.messageHandlers.push((_, message, mailbox) => {
    message.thread = message.thread || threadOf(message.raw, message['X-GM-MSGID']);
    const all = server.getMailbox(ALL);
    if (!all || mailbox === all || NOT_IN_ALL.includes(mailbox.path)) return;
    const { flags, internaldate, raw, thread } = message;
    const labels = [...message['X-GM-LABELS']];
    const copy = { flags, internaldate, raw, thread, 'X-GM-MSGID': message['X-GM-MSGID'] };
    all.messages.push(copy);
    server.processMessage(copy, all);
    copy['X-GM-LABELS'] = labels;
    const exists = [all.messages.length, { type: 'ATOM', value: 'EXISTS' }];
    server.notify({ tag: '*', attributes: exists }, all);
  });
}

const folders = {
  'Sent Mail': { 'special-use': '\\Sent' },
  Drafts: { 'special-use': '\\Drafts' },
  Spam: { 'special-use': '\\Junk' },
  Trash: { 'special-use': '\\Trash' },
  Important: { 'special-use': '\\Important' },
};
if (view === 'all') folders['All Mail'] = { 'special-use': '\\All' };

hoodiecrow({
  plugins: ['ID', 'SASL-IR', 'AUTH-PLAIN', 'NAMESPACE', 'IDLE', 'ENABLE', 'CONDSTORE', 'LITERALPLUS',
    'UNSELECT', 'SPECIAL-USE', 'XOAUTH2', 'X-GM-EXT-1', 'UIDPLUS', labels],
  id: { name: 'gimap' },
  users: { [user]: { password, xoauth2: { accessToken, sessionTimeout: 3600000 } } },
  storage: {
    INBOX: {},
    '': { separator: '/', folders: { '[Gmail]': { flags: ['\\Noselect'], folders }, Customers: {} } },
  },
}).listen(Number(port), '127.0.0.1');
