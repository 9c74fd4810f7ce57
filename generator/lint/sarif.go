package lint

import (
	"io"
	"slices"

	"github.com/idemgen/idemgen/generator/diag"
)

// The part of SARIF 2.1.0 (OASIS) that findings need. A library for it would put
// its test and validation dependencies into every user's module graph.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"semanticVersion"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string       `json:"id"`
		ShortDescription sarifText    `json:"shortDescription"`
		Help             *sarifHelp   `json:"help,omitempty"`
		HelpURI          string       `json:"helpUri"`
		Configuration    *sarifConfig `json:"defaultConfiguration,omitempty"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifHelp struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifInvocation struct {
		Successful bool `json:"executionSuccessful"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		Line   int `json:"startLine"`
		Column int `json:"startColumn,omitempty"`
	}
)

var sarifLevels = map[diag.Severity]string{diag.Error: "error", diag.Warning: "warning", diag.Info: "note"}

// WriteSARIF writes a report as SARIF 2.1.0, for code scanning. Release is that
// of idemgen.
func WriteSARIF(w io.Writer, r *Report, complete bool, release string) error {
	run := sarifRun{Results: []sarifResult{}, Invocations: []sarifInvocation{{complete}}}
	var ids []diag.Rule
	for _, f := range r.Findings {
		ids = append(ids, f.Rule)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	run.Tool.Driver = sarifDriver{
		Name: "idemgen", Version: release, InformationURI: "https://github.com/idemgen/idemgen", Rules: []sarifRule{},
	}
	for _, id := range ids {
		rule := sarifRule{ID: string(id), ShortDescription: sarifText{About(id)}, HelpURI: Page(id)}
		if known, ok := find(id); ok {
			text := known.Why + "\n\n" + known.Fix
			rule.Help, rule.Configuration = &sarifHelp{text, text}, &sarifConfig{sarifLevels[known.Severity]}
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
	}
	for _, f := range r.Findings {
		at := sarifPhysical{Artifact: sarifArtifact{fileURI(f.Pos.File)}}
		if f.Pos.IsValid() {
			at.Region = &sarifRegion{f.Pos.Line, f.Pos.Col}
		}
		index, _ := slices.BinarySearch(ids, f.Rule)
		run.Results = append(run.Results, sarifResult{
			RuleID: string(f.Rule), RuleIndex: index, Level: sarifLevels[f.Severity],
			Message: sarifText{withFix(f)}, Locations: []sarifLocation{{at}},
		})
	}
	return writeJSON(w, sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0", Runs: []sarifRun{run},
	})
}
