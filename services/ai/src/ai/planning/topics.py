"""The usual parts of a proposal, and which of them a title names."""

from __future__ import annotations

from typing import Final

from ai.planning.topic import Topic
from ai.planning.topic import make_topic as _topic

TOPICS: Final[tuple[Topic, ...]] = (
    _topic(
        "summary",
        "Summary",
        r"(?:project|executive|proposal|application)?\s*(?:summary|abstract|synopsis)",
        "Say in one page what you will do, for whom, with what result, and what it costs.",
        (
            ("what", "What will you do, in two sentences?"),
            ("who_benefits", "Who benefits, and how many are they?"),
            ("result", "What will be different when the project ends?"),
        ),
        "summary abstract overview",
        rank=0,
        unique=True,
        standard=True,
    ),
    _topic(
        "description",
        "Project description",
        r"(?:project|proposal|technical|programme?)\s+(?:description|narrative|proposal)|narrative|statement of work",
        "Describe the project as a whole: the aim, the activities and how they lead to the results.",
        (
            ("aim", "What is the aim of the project?"),
            ("activities", "Which activities lead to it, in which order?"),
            ("novelty", "What is new about it, compared with what exists?"),
        ),
        "project description activities proposed concept",
        rank=5,
        unique=True,
    ),
    _topic(
        "need",
        "Need",
        r"needs?(?: (?:assessment|statement|analysis))?|problem(?: statement)?|context(?: of [\w-]+)?|background"
        r"|rationale|relevance",
        "Show that the problem is real, whom it touches, and why now; give figures and their source.",
        (
            ("problem", "Which problem does the project answer, and whom does it touch?"),
            ("evidence", "Which figures or studies show it, and where are they from?"),
            ("gap", "What is done about it today, and what is missing?"),
        ),
        "need problem context background evidence importance societal vision landscape",
        standard=True,
    ),
    _topic(
        "objectives",
        "Objectives",
        r"(?:aims?|goals?|objectives?)(?: and (?:objectives|outcomes|results))?|expected (?:results|outcomes)",
        "Name three to five objectives that can be checked at the end, each with a figure and a date.",
        (
            ("objectives", "What are the objectives, each with a figure and a date?"),
            ("success", "How will you know that each was reached?"),
        ),
        "objectives goals aims outcomes results",
        standard=True,
    ),
    _topic(
        "approach",
        "Approach and work plan",
        r"approach|method(?:s|ology)?|work\s?(?:plan|packages?|programme?)|implementation(?: plan)?"
        r"|delivery(?: plan)?|activities|time(?:line|table|frame)|milestones|design"
        r"|technical (?:approach|solution|design)",
        "Describe the activities in order, who does each, by when, and what comes out of it.",
        (
            ("steps", "Which steps or work packages are there, and who leads each?"),
            ("schedule", "When does each start and end, and what are the milestones?"),
            ("method", "Which methods or standards do you use, and why these?"),
        ),
        "approach method methodology plan work activities timeline feasibility implementation technical delivery"
        " quality milestones",
        standard=True,
    ),
    _topic(
        "impact",
        "Impact",
        r"(?:broader |expected |social |community )?(?:impacts?|benefits?)|added value|beneficiaries|outcomes",
        "Say what changes, for whom, by how much, and how it lasts.",
        (
            ("change", "What changes, for whom, and by how much?"),
            ("reach", "How many people or organisations will be reached, and how do you count them?"),
        ),
        "impact benefit benefits community outcomes change society broader environmental",
        standard=True,
    ),
    _topic(
        "team",
        "Team and organisation",
        r"(?:project )?(?:team|personnel|staff(?:ing)?|management)"
        r"|organi[sz]ational? (?:capacity|experience|background)"
        r"|capacity|track record|qualifications?|experience|(?:the )?applicant|governance"
        r"|management(?: (?:plan|structure))?|organi[sz]ation and governance",
        "Show that you can do it: people, their time on the project, and what you have delivered before.",
        (
            ("people", "Who works on the project, in which role, and how much of their time?"),
            ("record", "Which comparable projects have you finished, and with what result?"),
            ("management", "Who decides, and how are decisions and changes recorded?"),
        ),
        "team expertise experience capacity qualified staff organisation organization organizational management"
        " governance track record",
        standard=True,
    ),
    _topic(
        "partners",
        "Partners and engagement",
        r"partner(?:s|ships?)?|consorti(?:um|a)|community (?:building|engagement|involvement|ownership)"
        r"|stakeholders?(?: engagement)?|engagement|collaborations?",
        "Name the partners and what each brings, and how the people concerned take part.",
        (
            ("partners", "Who are the partners, and what does each bring?"),
            ("participation", "How do the people concerned take part in decisions?"),
        ),
        "partners partnership community contributors engagement stakeholders users participation ownership"
        " collaboration",
    ),
    _topic(
        "evaluation",
        "Monitoring and evaluation",
        r"monitoring(?: and evaluation)?|evaluation(?: plan)?|indicators|measurement|reporting plan|quality assurance",
        "Give an indicator for each objective, its baseline, its target, and who measures it when.",
        (
            ("indicators", "Which indicators do you measure, with which baseline and target?"),
            ("who_measures", "Who measures, how often, and what happens with the result?"),
        ),
        "evaluation monitoring indicators metrics measure success assess",
        standard=True,
    ),
    _topic(
        "sustainability",
        "Sustainability",
        r"sustainability|(?:long[- ]term|after the) (?:plan|project|funding)|exit (?:plan|strategy)|legacy|replic\w+"
        r"|scal(?:ing|ability)|exploitation|dissemination(?: and \w+)?|communication(?:s)?(?: plan)?",
        "Say what goes on after the funding ends, who pays for it, and how others can use it.",
        (
            ("afterwards", "What goes on after the funding ends, and who pays for it?"),
            ("sharing", "How are results shared so that others can use them?"),
        ),
        "sustainability sustainable long-term replication legacy dissemination growth",
        standard=True,
    ),
    _topic(
        "risk",
        "Risks",
        r"risks?(?: (?:management|register|assessment|analysis|and mitigation))?|health and safety",
        "List the main risks, how likely and how grave each is, and what you do about it.",
        (("risks", "What are the three largest risks, and what do you do about each?"),),
        "risk risks mitigation contingency safety",
    ),
    _topic(
        "equality",
        "Equality and inclusion",
        r"equality|diversity|inclusi(?:on|veness)|gender|accessibility|safeguarding|fair access",
        "Say how people who are usually left out take part and benefit.",
        (("inclusion", "How do you reach people who are usually left out?"),),
        "equality diversity inclusion gender access fair vulnerable",
    ),
    _topic(
        "budget",
        "Budget and justification",
        r"money(?: and value)?|budget(?:s|ary)?(?: (?:justification|narrative|plan|and \w+|information))?"
        r"|costs?(?: plan)?|value for money|financ(?:es|ial plan|ing plan)|co-?financing|match funding",
        "Give each cost with how it was worked out and why it is needed; stay within the caps.",
        (
            ("total", "What is the total, and how much of it do you ask for?"),
            ("lines", "What are the main cost lines, and how was each worked out?"),
            ("own_share", "Who else pays, and is it confirmed?"),
        ),
        "budget cost costs value money financial finance resources economical funding",
        rank=30,
        unique=True,
        standard=True,
    ),
    _topic(
        "data",
        "Data management plan",
        r"data (?:management|protection|sharing)(?: plan)?|security plan|privacy",
        "Say which data you collect, who may see it, where it is kept, and when it is deleted or shared.",
        (
            ("data", "Which data do you collect or make, and is any of it personal?"),
            ("access", "Who may see it, where is it kept, and for how long?"),
        ),
        "data privacy security management sharing",
        rank=40,
        unique=True,
    ),
    _topic(
        "eligibility",
        "Eligibility",
        r"eligibility(?: \w+)?|who (?:may|can) (?:apply|submit\w*)(?: \w+)?|eligible (?:applicants?|organi[sz]ations?)",
        "Show for each condition of the call that you meet it.",
        (
            ("legal_form", "What is your organisation's legal form, and where is it registered?"),
            ("conditions", "Which of the call's conditions need a proof, and do you have it?"),
        ),
        "eligibility eligible legal registered",
        rank=50,
        unique=True,
    ),
    _topic(
        "letters",
        "Letters of support",
        r"letters? of (?:collaboration|support|commitment|intent)|support letters?",
        "Say who writes a letter, in which role, and what the letter commits them to.",
        (("letters", "Who writes a letter, and what does each one commit to?"),),
        "letters collaboration third-party support",
        rank=60,
        unique=True,
    ),
    _topic(
        "annexes",
        "Annexes",
        r"annex(?:es)?|attachments?|appendi(?:x|ces)|supporting documents?|supplementary documents?",
        "List every attachment that the call asks for and whether you have it.",
        (("attachments", "Which attachments are ready, and who provides the others?"),),
        "annex attachments documents",
        rank=70,
        unique=True,
    ),
)


def topic_of(title: str) -> Topic | None:
    """The topic that a title names; the one whose name covers most of the title, None when none does."""
    best: tuple[int, Topic] | None = None
    for topic in TOPICS:
        for match in topic.names.finditer(title):
            length = match.end() - match.start()
            if best is None or length > best[0]:
                best = (length, topic)
    return best[1] if best else None
