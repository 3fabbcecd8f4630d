#!/usr/bin/env python3
"""Expands iCalendar files with Python's icalendar and recurring-ical-events, as a second opinion.

    tests/oracle/expand.py --from T --to T [--zone ZONE] [--by-file] FILE...

`FILE` may be `-`: then the names of the files stand in standard input, one a line. T is RFC 3339
in UTC or a plain date. Prints one JSON object a line, sorted, for each occurrence that begins in
[from, to): `uid`; `recurrence_at`, the instant at which the rule put it, null for an event that
does not recur; `starts_at` and `ends_at` in UTC; `standing`: private, else free, else all_day, else
meeting, which is what keepwarm keeps; `status`; and `attendees` as [address, partstat] in order,
the organiser first and as ACCEPTED, without rooms, resources, groups and people copied for
information. With `--by-file` the lines of each file come after an object {"file": name, "error":
null or why the library does not take it}, in the order of the files; without, a file that is not
taken is told on standard error, and the status is 1.

What comes from the libraries: the parser, time zones (also those that a file defines), rules,
exceptions and replacements. What is done here, because iCalendar leaves it open:
- a time without a zone, or in one that nobody knows, is in the zone of its event's DTSTART; if
  that has none, in the file's X-WR-TIMEZONE, else in --zone. So are days, from midnight on.
- a file with several VCALENDARs is read as one.
- how long an occurrence takes, see `end`.
Where the libraries are wrong is told in README.md beside this file.
"""

import argparse
import datetime
import json
import sys
import warnings
import zoneinfo

import icalendar
import recurring_ical_events
from icalendar.prop import vDDDLists, vDDDTypes

# Zones are those of the tzdata package, whatever the machine has.
zoneinfo.reset_tzpath(to=())
UTC = datetime.timezone.utc
ALL_DAY_MARK = "X-MICROSOFT-CDO-ALLDAYEVENT"
SERVICE_DOMAIN = "calendar.google.com"
# The libraries find what overlaps with a window, and moved occurrences near it.
MARGIN = datetime.timedelta(days=3)


def main():
    arguments = read_arguments()
    warnings.simplefilter("ignore")
    window = (instant(getattr(arguments, "from")), instant(arguments.to))
    files = arguments.file
    if files == ["-"]:
        files = sys.stdin.read().splitlines()
    everything, refused = [], False
    for name in files:
        try:
            found, error = occurrences(name, window, zoneinfo.ZoneInfo(arguments.zone)), None
        except Exception as exception:  # whatever a library throws at hostile input
            found, error = [], f"{type(exception).__name__}: {exception}"
            refused = True
        if arguments.by_file:
            print(json.dumps({"file": name, "error": error}))
            show(found)
        else:
            everything += found
            if error:
                print(f"{name}: {error}", file=sys.stderr)
    show(everything)
    sys.exit(1 if refused and not arguments.by_file else 0)


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", required=True, metavar="T")
    parser.add_argument("--to", required=True, metavar="T")
    parser.add_argument("--zone", default="UTC", help="of times without one; UTC unless given")
    parser.add_argument("--by-file", action="store_true", help="name each file before its lines")
    parser.add_argument("file", nargs="+")
    return parser.parse_args()


def show(found):
    key = lambda line: (line["uid"], line["starts_at"], line["recurrence_at"] or "", str(line))
    for line in sorted(found, key=key):
        print(json.dumps(line, ensure_ascii=False))


def occurrences(name, window, default_zone):
    """The occurrences of a file that begin in the window."""
    with open(name, "rb") as file:
        content = file.read()
    # Zones that a file defines are kept by the library; they must not outlive it.
    icalendar.use_zoneinfo()
    calendars = icalendar.Calendar.from_ical(content, multiple=True)
    if not calendars:
        raise ValueError("no calendar")
    whole, found = icalendar.Calendar(), []
    for calendar in calendars:
        zone = stated_zone(calendar) or default_zone
        method = str(calendar.get("METHOD", "")).upper()
        if method in ("REPLY", "REFRESH", "COUNTER", "DECLINECOUNTER"):
            continue
        for event in calendar.walk("VEVENT"):
            if not event.get("UID") or not event.get("DTSTART"):
                continue
            if method == "CANCEL":
                event["STATUS"] = "CANCELLED"
            give_zone(event, zone)
            event["X-ORACLE-ZONE"] = str(zone)
            whole.add_component(event)
    lengths = dict(item for event in whole.walk("VEVENT") for item in periods(event))
    # Not `recurring_ical_events.of`, which moves times in UTC to X-WR-TIMEZONE as well.
    query = recurring_ical_events.CalendarQuery(whole)
    for occurrence in query._occurrences_between(window[0] - MARGIN, window[1] + MARGIN):
        line = describe(occurrence, lengths)
        if window[0] <= instant(line["starts_at"]) < window[1]:
            found.append(line)
    return found


def stated_zone(calendar):
    """The zone that the calendar says its times are in, if it is known."""
    stated = calendar.get("X-WR-TIMEZONE")
    return icalendar.timezone.tzp.timezone(str(stated).strip()) if stated else None


def give_zone(event, default):
    """Puts every time of an event that has no zone into one."""
    start = event["DTSTART"].dt
    zone = getattr(start, "tzinfo", None) or default

    def zoned(value):
        if isinstance(value, tuple):
            return (zoned(value[0]), zoned(value[1]))
        if isinstance(value, datetime.datetime) and value.tzinfo is None:
            return value.replace(tzinfo=zone)
        return value

    for name in ("DTSTART", "DTEND", "RDATE", "EXDATE", "RECURRENCE-ID"):
        if name not in event:
            continue
        values = event[name] if isinstance(event[name], list) else [event[name]]
        for value in values:
            if isinstance(value, vDDDLists):
                for item in value.dts:
                    item.dt = zoned(item.dt)
            elif isinstance(value, vDDDTypes):
                value.dt = zoned(value.dt)


def describe(occurrence, lengths):
    """One occurrence as a line."""
    event = occurrence._adapter._component
    zone = zoneinfo.ZoneInfo(event["X-ORACLE-ZONE"])
    recurs = any(name in event for name in ("RRULE", "RDATE", "RECURRENCE-ID"))
    slot = place(occurrence, zone)
    return {
        "uid": str(event["UID"]).strip(),
        "recurrence_at": slot if recurs else None,
        "starts_at": shown(occurrence.start, zone),
        "ends_at": end(occurrence, zone, lengths),
        "standing": standing(event),
        "status": status(event),
        "attendees": attendees(event),
    }


def end(occurrence, zone, lengths):
    """When it ends. RFC 5545, 3.8.5.3: a length given by DTEND is the same exact one for all of a
    series, while the libraries take it on the wall clock; the days of a DURATION are nominal and
    its hours are exact (3.3.6). A period among the RDATEs has a length of its own."""
    event = occurrence._adapter._component
    if not isinstance(occurrence.start, datetime.datetime):
        return shown(occurrence.end, zone)
    begin = event["DTSTART"].dt
    start = in_utc(occurrence.start, zone)
    length = lengths.get((event["UID"], place(occurrence, zone)))
    if length is not None and not is_replacement(occurrence):
        return shown(start + length, zone)
    if "DTEND" in event:
        length = in_utc(event["DTEND"].dt, zone) - in_utc(begin, zone)
        return shown(start + max(length, datetime.timedelta(0)), zone)
    length = event["DURATION"].dt if "DURATION" in event else occurrence.end - occurrence.start
    days = datetime.timedelta(days=length.days)
    if not days:
        return shown(start + length, zone)
    existing = start.astimezone(occurrence.start.tzinfo)
    return shown(in_utc(existing + days, zone) + (length - days), zone)


def is_replacement(occurrence):
    """Whether it is the very occurrence that its event replaces, not one after it."""
    event = occurrence._adapter._component
    return "RECURRENCE-ID" in event and occurrence.start == event["DTSTART"].dt


def periods(event):
    """The lengths of the periods among the RDATEs of an event, by its UID and where they begin."""
    lists = event.get("RDATE", [])
    zone = zoneinfo.ZoneInfo(event["X-ORACLE-ZONE"])
    for dates in lists if isinstance(lists, list) else [lists]:
        for begin, end in (item.dt for item in dates.dts if isinstance(item.dt, tuple)):
            exact = isinstance(end, datetime.timedelta)
            length = end if exact else in_utc(end, zone) - in_utc(begin, zone)
            yield (event["UID"], shown(begin, zone)), length


def place(occurrence, zone):
    """Where the rule put an occurrence: its RECURRENCE-ID, or for a moved tail its slot."""
    adapter = occurrence._adapter
    replaced = adapter._component.get("RECURRENCE-ID")
    if replaced is None:
        return shown(occurrence.start, zone)
    if adapter.this_and_future:
        return shown(occurrence.start - adapter.move_recurrences_by, zone)
    return shown(replaced.dt, zone)


def standing(event):
    start = event["DTSTART"]
    if str(event.get("CLASS", "")).upper() in ("PRIVATE", "CONFIDENTIAL"):
        return "private"
    if str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
        return "free"
    marked = str(event.get(ALL_DAY_MARK, "")).upper() == "TRUE"
    # With a TZID beside VALUE=DATE the library makes it a time.
    day = start.params.get("VALUE") == "DATE" or not isinstance(start.dt, datetime.datetime)
    return "all_day" if marked or day else "meeting"


def status(event):
    value = str(event.get("STATUS", "")).lower()
    return value if value in ("cancelled", "tentative") else "confirmed"


def attendees(event):
    """Who takes part, each address once, with the first answer that stands for it."""
    people = {}
    organizer = event.get("ORGANIZER")
    for one in organizer if isinstance(organizer, list) else [organizer]:
        add(people, one, "ACCEPTED")
        break
    listed = event.get("ATTENDEE", [])
    for one in listed if isinstance(listed, list) else [listed]:
        kind = one.params.get("CUTYPE", "").upper()
        role = one.params.get("ROLE", "").upper()
        if kind not in ("ROOM", "RESOURCE", "GROUP") and role != "NON-PARTICIPANT":
            add(people, one, one.params.get("PARTSTAT", "NEEDS-ACTION").upper())
    return [list(item) for item in people.items()]


def add(people, one, answer):
    address = address_of(one) if one is not None else None
    if address:
        people.setdefault(address, answer)


def address_of(one):
    """The address of a calendar user."""
    value = str(one).strip()
    if not value.lower().startswith("mailto:"):
        value = one.params.get("EMAIL", "" if ":" in value else value)
    address = value.removeprefix(value[:7]) if value.lower().startswith("mailto:") else value
    address = address.strip().lower()
    local, at, domain = address.rpartition("@")
    if not at or not local or domain == SERVICE_DOMAIN or domain.endswith("." + SERVICE_DOMAIN):
        return None
    return address


def shown(time, zone):
    """A time in UTC, as it is printed."""
    return in_utc(time, zone).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_utc(time, zone):
    """A time, or the midnight that begins a day, in UTC."""
    if not isinstance(time, datetime.datetime):
        time = datetime.datetime(time.year, time.month, time.day)
    if time.tzinfo is None:
        time = time.replace(tzinfo=zone)
    return time.astimezone(UTC)


def instant(text):
    if len(text) == 10:
        text += "T00:00:00Z"
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


if __name__ == "__main__":
    main()
