"""The phrases that generated backlogs are made of: what the invented products are about, and how people write of it."""

# ruff: noqa: E501 - sentences are easier to read and to change on one line

from __future__ import annotations

from dataclasses import dataclass

# -- what products are about -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Domain:
    """A corner of a product: who works there with what, and which number tells how well it goes."""

    name: str
    roles: tuple[str, ...]
    things: tuple[tuple[str, str], ...]  # singular, plural
    place: str
    metrics: tuple[tuple[str, str, str], ...]  # metric, from, to
    guard: str


DOMAINS: dict[str, Domain] = {
    domain.name: domain
    for domain in (
        Domain(
            "billing",
            ("accountant", "billing clerk", "finance lead"),
            (
                ("invoice", "invoices"),
                ("credit note", "credit notes"),
                ("payment reminder", "payment reminders"),
                ("refund", "refunds"),
                ("tax rate", "tax rates"),
                ("payout", "payouts"),
                ("subscription", "subscriptions"),
                ("price list", "price lists"),
            ),
            "billing area",
            (
                ("share of invoices paid within 14 days", "71 %", "80 %"),
                ("invoice questions per 1,000 customers", "42", "25"),
            ),
            "refund rate stays below 2 %",
        ),
        Domain(
            "checkout",
            ("shopper", "returning customer", "guest"),
            (
                ("basket", "baskets"),
                ("voucher", "vouchers"),
                ("delivery address", "delivery addresses"),
                ("saved card", "saved cards"),
                ("gift option", "gift options"),
                ("order summary", "order summaries"),
                ("pickup point", "pickup points"),
                ("instalment plan", "instalment plans"),
            ),
            "checkout",
            (
                ("checkout drop-off rate", "42 %", "35 %"),
                ("orders completed on the first attempt", "83 %", "90 %"),
            ),
            "payment error rate no worse than 1.5 %",
        ),
        Domain(
            "search",
            ("shopper", "catalogue editor", "category manager"),
            (
                ("search result", "search results"),
                ("filter", "filters"),
                ("synonym", "synonyms"),
                ("suggestion", "suggestions"),
                ("product tile", "product tiles"),
                ("category page", "category pages"),
                ("saved search", "saved searches"),
                ("ranking rule", "ranking rules"),
            ),
            "search page",
            (("searches without a click", "31 %", "24 %"), ("searches without a result", "9 %", "5 %")),
            "median answer time stays under 300 ms",
        ),
        Domain(
            "mobile",
            ("courier", "field technician", "app user"),
            (
                ("push message", "push messages"),
                ("offline draft", "offline drafts"),
                ("photo upload", "photo uploads"),
                ("map pin", "map pins"),
                ("home screen widget", "home screen widgets"),
                ("app language", "app languages"),
                ("device session", "device sessions"),
                ("barcode scan", "barcode scans"),
            ),
            "mobile app",
            (("sessions without a crash", "98.9 %", "99.6 %"), ("weekly active couriers", "640", "800")),
            "battery use per hour no worse than 4 %",
        ),
        Domain(
            "warehouse",
            ("picker", "shift lead", "stock controller"),
            (
                ("pick list", "pick lists"),
                ("storage bin", "storage bins"),
                ("stock count", "stock counts"),
                ("goods receipt", "goods receipts"),
                ("packing station", "packing stations"),
                ("pallet label", "pallet labels"),
                ("return parcel", "return parcels"),
                ("replenishment order", "replenishment orders"),
            ),
            "warehouse terminal",
            (("picks per hour", "58", "70"), ("wrong picks per 1,000 lines", "6.2", "3.0")),
            "overtime per shift no worse than 20 minutes",
        ),
        Domain(
            "shipping",
            ("dispatcher", "recipient", "carrier manager"),
            (
                ("shipment", "shipments"),
                ("tracking page", "tracking pages"),
                ("delivery window", "delivery windows"),
                ("customs form", "customs forms"),
                ("carrier contract", "carrier contracts"),
                ("route", "routes"),
                ("proof of delivery", "proofs of delivery"),
                ("depot", "depots"),
            ),
            "dispatch board",
            (
                ("parcels delivered on the promised day", "88 %", "94 %"),
                ("where-is-my-parcel contacts", "1,900", "1,200"),
            ),
            "cost per parcel no worse than 4.10",
        ),
        Domain(
            "support",
            ("support agent", "team lead in support", "customer"),
            (
                ("support request", "support requests"),
                ("canned reply", "canned replies"),
                ("help article", "help articles"),
                ("chat transcript", "chat transcripts"),
                ("callback", "callbacks"),
                ("satisfaction survey", "satisfaction surveys"),
                ("escalation", "escalations"),
                ("contact form", "contact forms"),
            ),
            "support desk",
            (("first answer time", "9 hours", "4 hours"), ("requests solved at first contact", "54 %", "65 %")),
            "agent handling time no worse than 12 minutes",
        ),
        Domain(
            "accounts",
            ("workspace admin", "new member", "security officer"),
            (
                ("member invitation", "member invitations"),
                ("password reset", "password resets"),
                ("role", "roles"),
                ("audit entry", "audit entries"),
                ("access key", "access keys"),
                ("profile picture", "profile pictures"),
                ("sign-in method", "sign-in methods"),
                ("login alert", "login alerts"),
            ),
            "account settings",
            (("invited members who sign in within a week", "46 %", "60 %"), ("password reset contacts", "310", "150")),
            "failed sign-ins no worse than 3 %",
        ),
        Domain(
            "reporting",
            ("analyst", "store manager", "regional director"),
            (
                ("sales report", "sales reports"),
                ("dashboard", "dashboards"),
                ("scheduled e-mail", "scheduled e-mails"),
                ("chart", "charts"),
                ("metric definition", "metric definitions"),
                ("data extract", "data extracts"),
                ("cohort", "cohorts"),
                ("budget line", "budget lines"),
            ),
            "reporting area",
            (("reports opened by store managers each week", "120", "200"), ("time to first chart", "14 s", "5 s")),
            "nightly load ends before 05:00",
        ),
        Domain(
            "booking",
            ("receptionist", "guest", "venue owner"),
            (
                ("reservation", "reservations"),
                ("waiting list", "waiting lists"),
                ("room plan", "room plans"),
                ("cancellation", "cancellations"),
                ("opening hour", "opening hours"),
                ("group booking", "group bookings"),
                ("deposit", "deposits"),
                ("seat map", "seat maps"),
            ),
            "booking calendar",
            (("no-show rate", "12 %", "7 %"), ("reservations made without a call", "61 %", "75 %")),
            "double bookings stay at zero",
        ),
    )
}

SEGMENTS = (
    "", "for resellers", "for franchise stores", "for the pilot region", "for large accounts", "for trial customers",
    "for the night shift", "for partners", "in right-to-left languages", "for schools", "for non-profits",
    "for seasonal staff", "for public sector customers",
)  # fmt: skip


@dataclass(frozen=True)
class Move:
    """A kind of story: its title, the wish, why anyone wants it, what must be true, and one scenario of it."""

    title: str
    want: str
    why: tuple[str, ...]
    criteria: tuple[str, ...]
    given: str
    when: str
    then: str


MOVES: tuple[Move, ...] = (
    Move(
        "Export {things} as CSV",
        "export {things} as a CSV file",
        ("month-end takes one hour instead of a day", "nobody retypes numbers into a spreadsheet"),
        (
            "The file holds one line per {thing} and a header line",
            "An export of 10,000 {things} finishes within 30 seconds",
            "Amounts use a point as decimal separator",
            "The file name holds the date, for example `{slug}-2026-03-01.csv`",
            'Without any {thing} in the period the page says "Nothing to export"',
        ),
        "240 {things} exist in the chosen period",
        'I press "Export"',
        "a file with 241 lines is downloaded",
    ),
    Move(
        "Filter {things} by date",
        "filter {things} by date",
        ("the weekly review needs no scrolling", "questions about last month are answered on the phone"),
        (
            "From and to dates can be set separately for {things}",
            'A from date after the to date shows "Check the dates"',
            "The chosen period stays when I come back to the {place} within 30 minutes",
            "The number of {things} found is shown above the list",
        ),
        "the {place} lists 80 {things}, 12 of them from March",
        "I set the period to 1 March until 31 March",
        "exactly 12 {things} are listed",
    ),
    Move(
        "Show history of {thing}",
        "see who changed {things} and when",
        ("disputes are settled within one call", "audits need no help from engineering"),
        (
            "Each change of the {thing} shows person, time and old and new value",
            "The newest change comes first",
            "Changes older than 24 months are not shown",
            'A {role} without the right "history" does not see the tab',
        ),
        "a {thing} was changed twice yesterday",
        'I open its tab "History"',
        "two entries are shown, the newer one first",
    ),
    Move(
        "Archive old {things}",
        "archive {things} that are no longer needed",
        ("daily lists show only live work", "new colleagues find the right entry at once"),
        (
            "An archived {thing} disappears from the list of the {place}",
            'Archived {things} are found through the filter "Archived"',
            "Archiving can be undone for 30 days",
            "Up to 200 {things} can be archived in one go",
        ),
        "a {thing} is older than 18 months",
        'I choose "Archive"',
        'it is listed only under "Archived"',
    ),
    Move(
        "Notify owner about overdue {things}",
        "get a message when {things} are overdue",
        ("nothing waits longer than two days", "fewer customers call to complain"),
        (
            "One message per day at 08:00 lists all overdue {things}",
            "No message is sent when there are 0 overdue {things}",
            "The message links to each {thing}",
            'Messages can be switched off under "Notifications"',
        ),
        "3 {things} are overdue since yesterday",
        "the clock reaches 08:00",
        "I receive one message that lists 3 {things}",
    ),
    Move(
        "Duplicate a {thing}",
        "copy an existing {thing}",
        ("recurring work takes two clicks", "typing errors in recurring entries end"),
        (
            'The copy of the {thing} is titled "Copy of" and the old title',
            "Attachments are not copied",
            'The copied {thing} starts in state "Draft"',
        ),
        'a {thing} named "Spring" exists',
        'I choose "Duplicate"',
        'a draft named "Copy of Spring" opens',
    ),
    Move(
        "Import {things} from a spreadsheet",
        "upload {things} from a spreadsheet",
        ("new customers start on their first day", "onboarding needs no engineer"),
        (
            "Files up to 5 MB with {things} are accepted",
            "Rows with errors are listed with row number and reason",
            "Nothing is saved unless all rows are valid",
            "The upload of 1,000 {things} takes at most 60 seconds",
        ),
        "a file holds 50 {things}, one without a name",
        "I upload it",
        'row 17 is reported as "Name missing" and nothing is saved',
    ),
    Move(
        "Sort {things} by last change",
        "see the most recently changed {things} first",
        ("the morning hand-over takes five minutes", "urgent changes are noticed the same day"),
        (
            'The column "Changed" of the {place} sorts {things} up and down',
            "{Things} changed at the same second are ordered by name",
            "The order is kept for the next visit",
        ),
        "two {things} were changed at 09:00 and 10:00",
        'I sort by "Changed"',
        "the one of 10:00 is first",
    ),
    Move(
        "Lock {things} while someone edits them",
        "see that a colleague is editing a {thing}",
        ("no change is overwritten any more", "support stops restoring lost edits"),
        (
            'While a {thing} is edited, others see "Being edited" and the time since',
            "A lock on a {thing} ends after 15 minutes without input",
            'A {role} with the right "override" can end the lock',
        ),
        "a colleague edits a {thing} since 2 minutes",
        "I open it",
        'I see "Being edited" and cannot save',
    ),
    Move(
        "Attach files to {things}",
        "attach documents to {things}",
        ("proofs are found without asking around", "the shared drive can be closed"),
        (
            "PDF, PNG and JPG up to 10 MB can be attached to a {thing}",
            'Other file types are refused with "File type not supported"',
            "At most 20 files per {thing}",
            "Attached files are listed with size and date",
        ),
        "a {thing} has no file",
        "I attach a PDF of 2 MB",
        'it is listed with "2 MB" and today\'s date',
    ),
    Move(
        "Assign {things} to a colleague",
        "hand {things} over to a colleague",
        ("holidays leave nothing lying around", "two people no longer do the same work"),
        (
            "Only active members can be chosen for a {thing}",
            'The colleague sees the {thing} under "Mine" within 1 minute',
            "The former owner is kept in the history of the {thing}",
        ),
        "a {thing} belongs to me",
        "I assign it to a colleague",
        'it is listed under "Mine" for the colleague only',
    ),
    Move(
        "Merge duplicate {things}",
        "merge two {things} into one",
        ("statistics count everything once", "customers get one message instead of two"),
        (
            "The older {thing} survives and keeps its number",
            "Comments of both {things} are kept in order of time",
            "A merge can be undone for 7 days",
            'Merging {things} of two customers is refused with "Different customers"',
        ),
        "two {things} of one customer exist",
        "I merge them",
        "one {thing} remains and shows 2 numbers",
    ),
    Move(
        "Preview {thing} before publishing",
        "preview a {thing} before it goes live",
        ("mistakes are seen by us, not by customers", "approval takes minutes"),
        (
            "The preview of a {thing} opens within 2 seconds",
            'It carries the banner "Preview"',
            "The preview link expires after 48 hours",
        ),
        "a {thing} has unpublished changes",
        'I press "Preview"',
        'I see the changes under the banner "Preview"',
    ),
    Move(
        "Bulk edit {things}",
        "change many {things} at once",
        ("price changes are done before opening time", "a reorganisation takes an hour instead of a week"),
        (
            "Up to 500 {things} can be selected",
            "A summary names the number of {things} before anything is changed",
            "Failed {things} are listed with the reason, the others are changed",
            "The change is logged as one entry per {thing}",
        ),
        "30 {things} are selected",
        'I set the state to "Paused" and confirm',
        '30 {things} show "Paused"',
    ),
    Move(
        "Remember last used view of {things}",
        "find my {things} arranged as I left them",
        ("the day starts without setting up the screen", "fewer clicks are needed per order"),
        (
            "Columns and order of {things} are kept per person",
            '"Reset view" restores the default of the {place}',
            "The view of {things} is the same on a second device after signing in",
        ),
        'I hid the column "Created" in the list of {things}',
        "I sign in on another device",
        'the column "Created" is hidden there as well',
    ),
    Move(
        "Warn before deleting {things}",
        "be warned before {things} are deleted",
        ("accidental deletions stop", "restores from back-up are no longer needed"),
        (
            "Deleting a {thing} asks for confirmation and names it",
            "Deleting more than 10 {things} asks to type the number",
            '"Cancel" is the default button',
        ),
        "12 {things} are selected",
        'I press "Delete"',
        "I am asked to type 12",
    ),
    Move(
        "Translate {things} texts",
        "read {things} in my language",
        ("stores abroad need no local notes", "contacts from abroad drop by a third"),
        (
            "Texts of {things} exist in English, German and French",
            "A missing translation of a {thing} shows the English text",
            "Dates and numbers follow the chosen language",
        ),
        "my language is French",
        "I open a {thing}",
        "its labels are shown in French",
    ),
    Move(
        "Print {things} on A5",
        "print {things} on A5 paper",
        ("paper use at the counter halves", "labels fit the new envelopes"),
        (
            "A {thing} prints on one A5 page in black and white",
            "The code on the printed {thing} is readable by a hand scanner at 20 cm",
            'The printer dialogue shows "A5" as preset',
        ),
        "a {thing} with 8 lines is open",
        "I print it",
        "everything is on one A5 page",
    ),
    Move(
        "Limit access to {things} by role",
        "decide which roles may see {things}",
        ("temporary staff see only what they need", "the yearly audit passes without findings"),
        (
            'Without the right "view" the {place} hides {things}',
            'A direct link to a {thing} answers "No access" with status 403',
            "Changes of rights are effective within 5 minutes",
        ),
        'my role lacks the right "view"',
        "I open the link of a {thing}",
        'I see "No access"',
    ),
    Move(
        "Search {things} by number",
        "find {things} by their number",
        ("calls are shorter by a minute", "nobody pages through lists"),
        (
            "Full numbers of {things} and the last 4 digits are found",
            "Exactly one hit opens the {thing} directly",
            'No hit shows "Nothing found" and keeps the input',
        ),
        "a {thing} with number 20417 exists",
        "I search for 0417",
        "the {thing} 20417 opens",
    ),
    Move(
        "Show status of {things} at a glance",
        "see the state of all {things} on one page",
        ("problems are seen before customers report them", "the stand-up needs no preparation"),
        (
            "Green, amber and red show {things} by age: under 1, under 3, and 3 days or more",
            "Colours carry a letter for colour-blind people",
            "The page refreshes {things} every 60 seconds",
        ),
        "5 {things} are older than 3 days",
        "I open the {place}",
        "the red field shows 5",
    ),
    Move(
        "Undo last change of {things}",
        "take back my last change of {things}",
        ("mistakes cost seconds", "people dare to tidy up"),
        (
            '"Undo" is offered for 10 seconds after a change of a {thing}',
            "Ctrl+Z does the same",
            "After undo the {thing} shows its previous values and the change stays in the history",
        ),
        "I changed a {thing} 5 seconds ago",
        'I press "Undo"',
        "its previous value is shown",
    ),
    Move(
        "Reorder {things} by drag and drop",
        "put {things} in my own order",
        ("the important ones are worked on first", "shift leads stop writing paper lists"),
        (
            "A {thing} can be dragged with mouse and finger",
            "The keyboard moves a {thing} with Alt and arrow keys",
            "The order of {things} is saved within 1 second",
        ),
        "three {things} are listed as A, B, C",
        "I drag C to the top",
        "the order is C, A, B after reload",
    ),
    Move(
        "Tag {things} with free labels",
        "mark {things} with my own labels",
        ("campaigns can be followed without a report request", "special cases are found again"),
        (
            "A label has 2 to 30 characters",
            "At most 10 labels per {thing}",
            "Labels of {things} are suggested after 2 letters",
        ),
        'the label "fragile" exists',
        'I type "fr" on a {thing}',
        '"fragile" is suggested',
    ),
)


@dataclass(frozen=True)
class Fault:
    """A kind of bug."""

    title: str
    steps: tuple[str, ...]
    expected: str
    actual: str


BUGS: tuple[Fault, ...] = (
    Fault(
        "{Things} list empty after changing the page size",
        ("Open the {place} with more than 50 {things}", "Set the page size to 100", "Go back to page 1"),
        "The list should show the first 100 {things}.",
        "The list stays empty until the browser is reloaded.",
    ),
    Fault(
        "Saving a {thing} twice creates two entries",
        ("Create a {thing}", "Press Save twice within a second", "Open the list of {things}"),
        "One {thing} is listed.",
        "Two {things} with the same content are listed.",
    ),
    Fault(
        "Wrong time zone in the history of {things}",
        ("Set the profile to Lisbon", "Change a {thing} at 10:00", "Open its history"),
        "The history should show 10:00.",
        "It shows 11:00.",
    ),
    Fault(
        "Umlauts in names of {things} are garbled in the export",
        ("Create a {thing} named Grün", "Export the {things}", "Open the file in a spreadsheet"),
        "The name should read Grün.",
        "The name reads GrÃ¼n.",
    ),
    Fault(
        "Deleted {thing} still found by search",
        ("Delete a {thing}", "Wait five minutes", "Search for its name"),
        "No hit is shown.",
        "The deleted {thing} is listed; opening it fails with status 404.",
    ),
    Fault(
        "{Place} freezes with more than 2,000 {things}",
        ("Sign in to the account with 2,400 {things}", "Open the {place}", "Scroll to the end"),
        "Scrolling should stay smooth.",
        "The page does not react for about 20 seconds.",
    ),
    Fault(
        "Total of {things} ignores cancelled ones",
        ("Create three {things}", "Cancel one of the {things}", "Look at the total above the list"),
        "The total should count 2.",
        "The total still counts 3.",
    ),
    Fault(
        "Back button loses the filter of {things}",
        ("Filter the {things} by date", "Open one {thing}", "Press the browser's back button"),
        "The filter should still be set.",
        "All {things} are listed without a filter.",
    ),
    Fault(
        "Crash when opening a {thing} without a note",
        ("Create a {thing} and leave the note empty", "Save it", "Open it again"),
        "The {thing} opens.",
        'The {place} shows "Something went wrong" and the log has a NullReferenceException.',
    ),
    Fault(
        "Reminder for {things} is sent on public holidays",
        ("Set a reminder for a {thing} on 1 May", "Wait until 08:00 on that day", "Look at the inbox"),
        "No reminder should be sent on a holiday.",
        "The reminder arrives at 08:00.",
    ),
    Fault(
        "Uploading a photo to a {thing} fails on slow networks",
        ("Limit the network to 3G", "Attach a photo of 4 MB to a {thing}", "Wait for the bar to fill"),
        "The photo is attached, if slowly.",
        'After 30 seconds the upload fails with "Network error".',
    ),
    Fault(
        "Keyboard focus jumps out of the {thing} dialogue",
        ("Open the dialogue of a {thing}", "Press Tab six times", "Type a letter"),
        "The focus should stay inside the dialogue.",
        "The letter lands in the search field behind it.",
    ),
)

ENVIRONMENTS = (
    "Firefox 126 on Windows 11", "Chrome 125 on macOS 14", "Safari 17 on iPhone 13", "App 4.12 on Android 14",
    "Edge 124 on Windows 10", "App 4.11 on iOS 17", "Staging, build 20417",
)  # fmt: skip

CHORES = (
    ("Upgrade the database driver of the {things} service", "The present version leaves support in autumn. Upgrade, run the load test, and watch error rates of the {things} service for a day."),
    ("Delete unused columns of {things}", "Three columns have not been read for a year. Remove them in two releases: first stop writing, then drop them from the table of {things}."),
    ("Add alerts for failed {thing} jobs", "Alert the team channel when more than 5 jobs on {things} fail within 10 minutes. The runbook page needs a section for it."),
    ("Rotate keys of the {things} interface", "Keys are older than a year. Create new ones, switch the {place} over, and revoke the old ones after a week."),
    ("Move {things} tests to the parallel runner", "The suite of {things} takes 19 minutes. Split it into four parts and keep the order of the report."),
    ("Document the {thing} events for partners", "Partners ask every month which events exist. Describe name, payload and order of the events about {things}."),
    ("Clean up feature switches around {things}", "Four switches are on for everybody since last year. Remove them and their dead branches in the {place}."),
    ("Backfill missing dates of {things}", "About 3 % of the {things} have no creation date. Fill it from the audit log and report what could not be filled."),
)  # fmt: skip

SPIKES = (
    ("Find out why {things} load slowly", "Question: is the time spent in the query or in rendering? Time box: 2 days. Result: a decision in the team channel, with a trace."),
    ("Compare two ways to store {things}", "Question: does a document column carry the queries we have? Time box: 3 days. We decide on the numbers of 1 million {things}."),
    ("Try the carrier's new interface for {things}", "Question: can it replace our own import of {things}? Time box: 2 days. Output: a list of gaps with an estimate each."),
    ("Interview five {role}s about {things}", "Question: what do they do today when a {thing} is wrong? Time box: 1 week, five interviews, one page of findings."),
)  # fmt: skip

SUBTASKS = (
    "Write migration for {things}", "Add endpoint for {things}", "Build the form of the {thing}",
    "Test {things} with keyboard only", "Update help page about {things}", "Translate labels of the {thing}",
    "Measure load time of {things}", "Remove the switch around {things}",
)  # fmt: skip

EPIC_TITLES = (
    "Self-service for {things}", "{Things} without waiting", "One place for all {things}", "Reliable {things} at peak time",
    "{Things} on the phone", "Fewer questions about {things}", "Clean data behind {things}", "{Things} for larger customers",
)  # fmt: skip

INITIATIVE_TITLES = ("Grow in the mid-size segment", "Half the effort per order", "A product people can trust")

# -- sentences -----------------------------------------------------------------------------------------------------------

BACKGROUNDS = (
    "Today a {role} keeps {things} in a private list and copies changes by hand. Two stores asked for help last month.",
    "The {place} was built when there were about a hundred {things}; the largest account now has four thousand.",
    "In the last survey {things} were the third most named reason for extra work in the {place}.",
    "A new {role} needs about two weeks until handling {things} is routine, mostly because of this gap.",
    "We promised the pilot customer a better way to handle {things}, and support answers the same question daily.",
    "At peak time the {role} has less than a minute for each {thing}, so every detour counts.",
    "The old tool could do this for {things}; people who moved over miss it in the {place}.",
    "Since the merger, {things} come from two systems and a {role} compares them by eye.",
)
SECOND_THOUGHTS = (
    'Design: see the frame "{things} v3" in the product file. Copy texts are final.',
    "Not part of this: changes to permissions and to how {things} are stored.",
    "Depends on nothing else. The switch `{slug}-next` keeps it off for everybody but the pilot.",
    "Talked to three people in the role of {role}; notes are in the research folder.",
)
PROBLEMS = (
    "A {role} spends about six hours a week on {things} that could be handled without them.",
    "Customers give up when {things} take longer than expected, and we only learn of it from complaints.",
    "Every larger customer asks for {things} in another form, and each request ends up with engineering.",
    "Errors in {things} are found days later, when correcting them costs ten times as much.",
)
NOT_NOW = (
    "Moving old {things} from the archive", "A public interface for {things}", "Native apps for tablets",
    "Approval by more than one {role}",
)  # fmt: skip
WEAK_BENEFITS = ("it is done", "it works", "I can use it", "we have it", "it can be used")
VAGUE_CRITERIA = (
    "The page loads fast", "Works correctly on mobile", "Errors are handled gracefully", "The design looks better",
    "It is easy to use", "Performance is improved", "Works as expected in all browsers", "The texts are user-friendly",
)  # fmt: skip
TEMPLATES = (
    "As a [role], I want [goal] so that [benefit].\n\n## Acceptance criteria\n\n- [ ] [criterion 1]\n- [ ] [criterion 2]",
    "<!-- Who wants what, and why? -->\n\n## Background\n\n\n## Acceptance criteria\n\n- [ ] ...\n- [ ] ...",
    "## Story\n\n...\n\n## Acceptance criteria\n\n```gherkin\nGiven [a situation]\nWhen [something happens]\nThen [a result]\n```",
)
BUG_TEMPLATE = (
    "## Steps to reproduce\n\n1. Go to '...'\n2. Click on '...'\n3. See error\n\n## Expected behaviour\n\n_No response_\n\n"
    "## Actual behaviour\n\n_No response_"
)

# Things, then (title, reason, criteria ...), then the shape of the text, for each language.
FOREIGN: dict[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...], str]] = {
    "de": (
        ("Rechnungen", "Bestellungen", "Lieferungen", "Verträge", "Kundenkonten", "Buchungen", "Gutschriften"),
        (
            ("{x} als CSV exportieren", "der Monatsabschluss nur noch eine Stunde dauert", "Die Datei enthält eine Zeile je Eintrag für {x}", "10.000 {x} sind in 30 Sekunden exportiert"),
            ("{x} nach Datum filtern", "Rückfragen am Telefon sofort beantwortet werden", "Von- und Bis-Datum lassen sich für {x} getrennt setzen", "Die Anzahl der gefundenen {x} steht über der Liste"),
            ("{x} archivieren", "die Tagesliste nur offene Vorgänge zeigt", "Archivierte {x} erscheinen nur im Filter „Archiv“", "Das Archivieren lässt sich 30 Tage lang rückgängig machen"),
            ("{x} gesammelt bearbeiten", "Preisänderungen vor Ladenöffnung fertig sind", "Bis zu 500 {x} sind auswählbar", "Vor dem Speichern wird die Anzahl der {x} angezeigt"),
        ),
        "Als Sachbearbeiterin möchte ich {action}, damit {why}.\n\n## Akzeptanzkriterien\n\n{criteria}",
    ),
    "fr": (
        ("factures", "commandes", "livraisons", "contrats", "réservations", "avoirs"),
        (
            ("Exporter les {x} en CSV", "gagner une journée en fin de mois", "Le fichier contient une ligne par élément pour les {x}", "L'export de 10 000 {x} dure moins de 30 secondes"),
            ("Filtrer les {x} par date", "répondre aux clients pendant l'appel", "Les dates de début et de fin des {x} se règlent séparément", "Le nombre de {x} trouvées est affiché au-dessus de la liste"),
            ("Archiver les anciennes {x}", "ne voir que les dossiers en cours", "Les {x} archivées n'apparaissent que sous « Archives »", "L'archivage peut être annulé pendant 30 jours"),
        ),
        "En tant que gestionnaire, je veux {action} afin de {why}.\n\n## Critères d'acceptation\n\n{criteria}",
    ),
    "es": (
        ("facturas", "pedidos", "entregas", "contratos", "reservas", "devoluciones"),
        (
            ("Exportar {x} como CSV", "cerrar el mes en una hora", "El archivo tiene una línea por elemento de {x}", "Exportar 10.000 {x} tarda menos de 30 segundos"),
            ("Filtrar {x} por fecha", "responder durante la llamada", "Las fechas de inicio y fin de {x} se eligen por separado", "El número de {x} encontradas aparece sobre la lista"),
            ("Archivar {x} antiguas", "ver solo el trabajo pendiente", "Las {x} archivadas solo aparecen en «Archivo»", "El archivado se puede deshacer durante 30 días"),
        ),
        "Como gestora quiero {action} para {why}.\n\n## Criterios de aceptación\n\n{criteria}",
    ),
    "ja": (
        ("請求書", "注文一覧", "配送予定", "契約書", "予約一覧"),
        (
            ("{x}をCSV形式で出力できるようにする", "月末の作業が一時間で終わる", "{x}一件につき一行が出力されること", "一万件の{x}を三十秒以内に出力できること"),
            ("{x}を日付で絞り込めるようにする", "電話中に質問へ回答できる", "{x}の開始日と終了日を別々に指定できること", "該当する{x}の件数が一覧の上に表示されること"),
        ),
        "担当者として、{action}。それにより{why}。\n\n## Acceptance Criteria\n\n{criteria}",
    ),
}  # fmt: skip

COMMENTS = (
    "I talked to two people who use this daily; the order of the columns matters more than the colours.",
    "Can we keep the first slice to the list view? The detail page can follow.",
    "Checked on staging, looks good. One label is cut off on small screens, I'll fix it here.",
    "Not sure the limit is right. I looked at the numbers of last month: the largest account is just below it.",
    "Waiting for the final texts, otherwise ready for review.",
    "Review is up. The migration takes four minutes on a copy of the production data.",
    "Let's discuss this in refinement on Tuesday.",
    "The pilot customer confirmed that this solves their case.",
    "I moved the question about rounding to a ticket of its own.",
    "Tested with keyboard and screen reader: works.",
    "Gute Idee, aber bitte erst nach dem Umzug der Datenbank.",
    "Parece bien, lo pruebo mañana en la app.",
    "+1, we get this question every week in support.",
    "Thanks! :tada:",
)
BLOCKED_REASONS = (
    "Blocked: waiting for the contract with the carrier, asked purchasing on Monday.",
    "Blocked until the new certificate is installed; the hosting team promised it for this week.",
    "We can't go on before legal has answered the question about storing addresses.",
)
BOT_COMMENTS = (
    "Deployed to staging in build 20417.",
    "Pull request merged. The preview environment was removed.",
    "This issue is part of release 4.12.",
    "Coverage went from 81.2 % to 81.4 %.",
)
LATE_CRITERIA = (
    '## Acceptance criteria\n\n- An empty list shows "Nothing here yet"\n- The first page is shown within 2 seconds on 4G',
    '## Acceptance criteria\n\n- [ ] A value below 0 is refused with "Enter a positive number"\n- [ ] Saving shows "Saved" for 3 seconds',
    "**Acceptance criteria**\n\n1. Up to 50 entries are shown on one page\n2. The export holds the same 50 entries in the same order",
)
