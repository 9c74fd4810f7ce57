package diag

import "slices"

// Rule is the stable name of a check, such as "IDM014".
type Rule string

// Rules of the stages. A number is never reused.
const (
	RuleMissingFile   Rule = "IDM001"
	RuleSyntax        Rule = "IDM002"
	RuleNotOpenAPI    Rule = "IDM003"
	RuleDuplicateKey  Rule = "IDM004"
	RuleRemoteRef     Rule = "IDM005"
	RuleMissingRef    Rule = "IDM006"
	RuleCyclicRef     Rule = "IDM007"
	RuleLoad          Rule = "IDM008"
	RuleValidation    Rule = "IDM009"
	RuleUnknownMember Rule = "IDM010"
	RuleWrongType     Rule = "IDM011"
	RuleRange         Rule = "IDM012"
	RulePlace         Rule = "IDM013"
	RuleNotAvailable  Rule = "IDM014"
	RuleOperationID   Rule = "IDM015"
	RuleOverlay       Rule = "IDM016"

	RuleKey         Rule = "IDM020"
	RuleScope       Rule = "IDM021"
	RuleSecurity    Rule = "IDM022"
	RuleFingerprint Rule = "IDM023"
	RuleRecord      Rule = "IDM024"
	RuleReplay      Rule = "IDM025"
	RuleLease       Rule = "IDM026"
	RuleStreaming   Rule = "IDM027"

	RuleResource     Rule = "IDM030"
	RuleVersionField Rule = "IDM031"
	RuleRole         Rule = "IDM032"
	RuleRequire      Rule = "IDM033"

	RuleName        Rule = "IDM040"
	RuleRoute       Rule = "IDM041"
	RuleOapiCodegen Rule = "IDM042"
	RuleConfig      Rule = "IDM050"
	RulePublish     Rule = "IDM051"
)

// rules describes each rule in one line.
var rules = map[Rule]string{
	RuleMissingFile:   "an input file cannot be read",
	RuleSyntax:        "the input is not YAML or JSON",
	RuleNotOpenAPI:    "the input is not an OpenAPI 3.0, 3.1 or 3.2 document",
	RuleDuplicateKey:  "an object has the same key twice",
	RuleRemoteRef:     "a $ref leaves the local files",
	RuleMissingRef:    "a $ref points at nothing",
	RuleCyclicRef:     "a chain of $ref leads back to itself",
	RuleLoad:          "the OpenAPI document has a member of the wrong shape",
	RuleValidation:    "the document is not strictly valid OpenAPI (warning)",
	RuleUnknownMember: "an annotation, or a member of one, has a name that does not exist",
	RuleWrongType:     "an annotation's value has the wrong type",
	RuleRange:         "an annotation's value is out of range",
	RulePlace:         "an annotation or member stands where it has no meaning",
	RuleNotAvailable:  "the annotation asks for something that is not available yet",
	RuleOperationID:   "two operations have one operationId",
	RuleOverlay:       "an overlay is wrong, or an action of it matches nothing",
	RuleKey:           "the members of key contradict each other or the operation",
	RuleScope:         "the scope does not part callers, or contradicts public",
	RuleSecurity:      "an idempotent operation has neither security nor public: true, or names a scheme that is not defined",
	RuleFingerprint:   "the members of fingerprint contradict each other or the operation",
	RuleRecord:        "record.statuses lists what must not be recorded, or not 2XX",
	RuleReplay:        "replay names a header that is never replayed, or a reference to nothing",
	RuleLease:         "lease, ttl, mode and onStoreError contradict each other",
	RuleStreaming:     "an idempotent operation answers with a stream",
	RuleResource:      "a resource is undefined, defined twice or used inconsistently",
	RuleVersionField:  "the version field is absent, optional, nullable or of another type",
	RuleRole:          "the role of an operation does not fit it",
	RuleRequire:       "require asks for a condition that the operation cannot check",
	RuleName:          "two things get one Go name",
	RuleRoute:         "a path cannot be routed, alone or beside another",
	RuleOapiCodegen:   "oapi-codegen cannot generate this document",
	RuleConfig:        "the configuration is wrong",
	RulePublish:       "the published document cannot be written by adding to the source",
}

// About returns the one-line description of a rule, empty for an unknown one.
func (r Rule) About() string { return rules[r] }

// Rules returns all rules, ascending.
func Rules() []Rule {
	all := make([]Rule, 0, len(rules))
	for r := range rules {
		all = append(all, r)
	}
	slices.Sort(all)
	return all
}
