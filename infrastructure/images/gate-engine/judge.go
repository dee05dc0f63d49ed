package main

import (
	"context"
	"encoding/json"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/client-go/kubernetes/scheme"
)

type judgeRequest struct {
	KubeVersion string                       `json:"kubeVersion"` // whose functions expressions may use: 1.31
	Username    string                       `json:"username"`    // who asks for the objects to be made
	Policies    []json.RawMessage            `json:"policies"`    // ValidatingAdmissionPolicies, or others of such a spec
	Namespaces  map[string]map[string]string `json:"namespaces"`  // name -> labels
	Kinds       []kind                       `json:"kinds"`       // those that CustomResourceDefinitions define
	Objects     []json.RawMessage            `json:"objects"`
}

type kind struct {
	Group    string `json:"group"`
	Kind     string `json:"kind"`
	Resource string `json:"resource"`
}

type judgeResponse struct {
	Results []result `json:"results"`
}

type result struct {
	Policy  string `json:"policy"`
	Object  int    `json:"object"` // its place in the request
	Outcome string `json:"outcome"`
	Message string `json:"message"`
}

type policy struct {
	name      string
	spec      admissionv1.ValidatingAdmissionPolicySpec
	validator validating.Validator
}

// Each policy is compiled once, as the API server does when it is installed, and judges every object that it matches.
func judgeObjects(request judgeRequest) (judgeResponse, error) {
	response := judgeResponse{Results: []result{}}
	compatible, err := version.ParseGeneric(request.KubeVersion)
	if err != nil {
		return response, err
	}
	environmentOf, err := cel.NewCompositionEnv(cel.VariablesTypeName, environment.MustBaseEnvSet(compatible, true))
	if err != nil {
		return response, err
	}
	policies := make([]policy, len(request.Policies))
	for i, content := range request.Policies {
		if policies[i], err = compile(content, environmentOf); err != nil {
			return response, err
		}
	}
	for i, content := range request.Objects {
		attributes, err := asked(content, request)
		if err != nil {
			return response, fmt.Errorf("object %d: %w", i, err)
		}
		for _, one := range policies {
			if one.matches(attributes, request.Namespaces[attributes.GetNamespace()]) {
				response.Results = append(response.Results, one.judge(attributes, i, request.Namespaces))
			}
		}
	}
	return response, nil
}

// As the API server's plugin compiles a policy.
func compile(content json.RawMessage, env *cel.CompositionEnv) (policy, error) {
	var source admissionv1.ValidatingAdmissionPolicy
	if err := json.Unmarshal(content, &source); err != nil {
		return policy{}, fmt.Errorf("policy: %w", err)
	}
	spec := source.Spec
	with := cel.OptionalVariableDeclarations{HasAuthorizer: true, StrictCost: true}
	compiler := cel.NewCompositedCompilerFromTemplate(env)
	variables := make([]cel.NamedExpressionAccessor, len(spec.Variables))
	for i, one := range spec.Variables {
		variables[i] = &validating.Variable{Name: one.Name, Expression: one.Expression}
	}
	compiler.CompileAndStoreVariables(variables, with, environment.StoredExpressions)
	conditions := make([]cel.ExpressionAccessor, len(spec.MatchConditions))
	for i := range spec.MatchConditions {
		conditions[i] = (*matchconditions.MatchCondition)(&spec.MatchConditions[i])
	}
	validations, messages := make([]cel.ExpressionAccessor, len(spec.Validations)), make([]cel.ExpressionAccessor, len(spec.Validations))
	for i, one := range spec.Validations {
		validations[i] = &validating.ValidationCondition{Expression: one.Expression, Message: one.Message, Reason: one.Reason}
		if one.MessageExpression != "" {
			messages[i] = &validating.MessageExpressionCondition{MessageExpression: one.MessageExpression}
		}
	}
	conditionsOf := func(expressions []cel.ExpressionAccessor, declared cel.OptionalVariableDeclarations) cel.ConditionEvaluator {
		return compiler.CompileCondition(expressions, declared, environment.StoredExpressions)
	}
	var matcher matchconditions.Matcher
	if len(conditions) > 0 {
		matcher = matchconditions.NewMatcher(conditionsOf(conditions, with), spec.FailurePolicy, "policy", "validate", source.Name)
	}
	validator := validating.NewValidator(conditionsOf(validations, with), matcher, conditionsOf(nil, with),
		conditionsOf(messages, cel.OptionalVariableDeclarations{StrictCost: true}), spec.FailurePolicy)
	return policy{source.Name, spec, validator}, nil
}

// The request to make an object, which is as the API server has read it: nulls and defaults of Go are gone.
func asked(content json.RawMessage, request judgeRequest) (*admission.VersionedAttributes, error) {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(content); err != nil {
		return nil, err
	}
	gvk := object.GroupVersionKind()
	gvr, _ := meta.UnsafeGuessKindToResource(gvk)
	for _, one := range request.Kinds {
		if one.Group == gvk.Group && one.Kind == gvk.Kind {
			gvr.Resource = one.Resource
		}
	}
	var made runtime.Object = object
	if scheme.Scheme.Recognizes(gvk) {
		typed, err := scheme.Scheme.New(gvk)
		if err != nil {
			return nil, err
		}
		// What does not convert the API server would not have read; here it is judged as it is written.
		if runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, typed) == nil {
			made = typed
		}
	}
	attributes := admission.NewAttributesRecord(made, nil, gvk, object.GetNamespace(), object.GetName(), gvr, "",
		admission.Create, &metav1.CreateOptions{}, false, &user.DefaultInfo{Name: request.Username})
	return &admission.VersionedAttributes{Attributes: attributes, VersionedKind: gvk, VersionedObject: made}, nil
}

func (p policy) matches(attributes *admission.VersionedAttributes, namespace map[string]string) bool {
	constraints := p.spec.MatchConstraints
	if constraints == nil {
		return false
	}
	accessor, err := meta.Accessor(attributes.VersionedObject)
	if err != nil {
		return false
	}
	return listed(constraints.ResourceRules, attributes) && !listed(constraints.ExcludeResourceRules, attributes) &&
		selects(constraints.NamespaceSelector, namespace) && selects(constraints.ObjectSelector, accessor.GetLabels())
}

func listed(among []admissionv1.NamedRuleWithOperations, attributes admission.Attributes) bool {
	for _, one := range among {
		matcher := rules.Matcher{Rule: one.RuleWithOperations, Attr: attributes}
		if matcher.Matches() {
			return true
		}
	}
	return false
}

func selects(selector *metav1.LabelSelector, given map[string]string) bool {
	if selector == nil {
		return true
	}
	made, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && made.Matches(labels.Set(given))
}

// The first rule that rejects speaks, as in the API server's answer.
func (p policy) judge(attributes *admission.VersionedAttributes, object int, namespaces map[string]map[string]string) (said result) {
	said = result{p.name, object, "pass", ""}
	defer func() {
		if reason := recover(); reason != nil {
			said.Outcome, said.Message = "error", fmt.Sprint(reason)
		}
	}()
	name := attributes.GetNamespace()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: namespaces[name]}}
	decided := p.validator.Validate(context.Background(), attributes.GetResource(), attributes, nil, namespace,
		celconfig.RuntimeCELCostBudget, nil)
	if decided.Decisions == nil { // its conditions do not match
		said.Outcome = "skip"
	}
	for _, decision := range decided.Decisions {
		if decision.Evaluation == validating.EvalError {
			said.Outcome, said.Message = "error", decision.Message
			return said
		}
		if decision.Action == validating.ActionDeny {
			said.Outcome, said.Message = "fail", decision.Message
			return said
		}
	}
	return said
}
