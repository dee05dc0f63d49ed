package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	structuraldefaulting "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	schemavalidation "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/api/validation/path"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/version"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/admissionregistration/install"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/coordination/install"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	_ "k8s.io/kubernetes/pkg/apis/scheduling/install"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"
	"k8s.io/kubernetes/pkg/registry/admissionregistration/mutatingwebhookconfiguration"
	"k8s.io/kubernetes/pkg/registry/admissionregistration/validatingwebhookconfiguration"
	"k8s.io/kubernetes/pkg/registry/apps/daemonset"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/replicaset"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/autoscaling/horizontalpodautoscaler"
	"k8s.io/kubernetes/pkg/registry/batch/cronjob"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/coordination/lease"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/endpoint"
	"k8s.io/kubernetes/pkg/registry/core/limitrange"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolume"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolumeclaim"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/podtemplate"
	"k8s.io/kubernetes/pkg/registry/core/replicationcontroller"
	"k8s.io/kubernetes/pkg/registry/core/resourcequota"
	"k8s.io/kubernetes/pkg/registry/core/secret"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/networking/ingress"
	"k8s.io/kubernetes/pkg/registry/networking/ingressclass"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
	"k8s.io/kubernetes/pkg/registry/rbac/clusterrole"
	"k8s.io/kubernetes/pkg/registry/rbac/clusterrolebinding"
	"k8s.io/kubernetes/pkg/registry/rbac/role"
	"k8s.io/kubernetes/pkg/registry/rbac/rolebinding"
	"k8s.io/kubernetes/pkg/registry/scheduling/priorityclass"
	"k8s.io/kubernetes/pkg/registry/storage/csidriver"
	"k8s.io/kubernetes/pkg/registry/storage/storageclass"
)

type validateRequest struct {
	KubeVersion string            `json:"kubeVersion"` // of the API server: 1.31
	Definitions []json.RawMessage `json:"definitions"` // CustomResourceDefinitions
	Objects     []json.RawMessage `json:"objects"`
}

type validateResponse struct {
	Results []invalid `json:"results"` // of objects that are not valid
}

type invalid struct {
	Object   int      `json:"object"` // its place in the request
	Messages []string `json:"messages"`
}

// How the API server creates objects of each kind of its own.
var strategies = map[schema.GroupKind]rest.RESTCreateStrategy{
	{Kind: "ConfigMap"}:             configmap.Strategy,
	{Kind: "Endpoints"}:             endpoint.Strategy,
	{Kind: "LimitRange"}:            limitrange.Strategy,
	{Kind: "Namespace"}:             namespace.Strategy,
	{Kind: "PersistentVolume"}:      persistentvolume.Strategy,
	{Kind: "PersistentVolumeClaim"}: persistentvolumeclaim.Strategy,
	{Kind: "Pod"}:                   pod.Strategy,
	{Kind: "PodTemplate"}:           podtemplate.Strategy,
	{Kind: "ReplicationController"}: replicationcontroller.Strategy,
	{Kind: "ResourceQuota"}:         resourcequota.Strategy,
	{Kind: "Secret"}:                secret.Strategy,
	{Kind: "Service"}:               service.Strategy,
	{Kind: "ServiceAccount"}:        serviceaccount.Strategy,
	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:   mutatingwebhookconfiguration.Strategy,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}: validatingwebhookconfiguration.Strategy,
	{Group: "apps", Kind: "DaemonSet"}:                                              daemonset.Strategy,
	{Group: "apps", Kind: "Deployment"}:                                             deployment.Strategy,
	{Group: "apps", Kind: "ReplicaSet"}:                                             replicaset.Strategy,
	{Group: "apps", Kind: "StatefulSet"}:                                            statefulset.Strategy,
	{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}:                         horizontalpodautoscaler.Strategy,
	{Group: "batch", Kind: "CronJob"}:                                               cronjob.Strategy,
	{Group: "batch", Kind: "Job"}:                                                   job.Strategy,
	{Group: "coordination.k8s.io", Kind: "Lease"}:                                   lease.Strategy,
	{Group: "networking.k8s.io", Kind: "Ingress"}:                                   ingress.Strategy,
	{Group: "networking.k8s.io", Kind: "IngressClass"}:                              ingressclass.Strategy,
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:                             networkpolicy.Strategy,
	{Group: "policy", Kind: "PodDisruptionBudget"}:                                  poddisruptionbudget.Strategy,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}:                       clusterrole.Strategy,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}:                clusterrolebinding.Strategy,
	{Group: "rbac.authorization.k8s.io", Kind: "Role"}:                              role.Strategy,
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:                       rolebinding.Strategy,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:                             priorityclass.Strategy,
	{Group: "storage.k8s.io", Kind: "CSIDriver"}:                                    csidriver.Strategy,
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                                 storageclass.Strategy,
}

// Each object is completed with defaults and looked at as on its creation. Admission, which comes after, is not asked.
func validateObjects(request validateRequest) (validateResponse, error) {
	response := validateResponse{Results: []invalid{}}
	emulated, err := version.ParseGeneric(request.KubeVersion)
	if err != nil {
		return response, err
	}
	// What later versions allow, this one does not yet.
	if err := utilfeature.DefaultMutableFeatureGate.SetEmulationVersion(emulated); err != nil {
		return response, err
	}
	customs := customKinds(request.Definitions)
	for number, raw := range request.Objects {
		messages, err := validateObject(raw, customs)
		if err != nil {
			return response, fmt.Errorf("object %d: %w", number, err)
		}
		if len(messages) > 0 {
			response.Results = append(response.Results, invalid{number, messages})
		}
	}
	return response, nil
}

func validateObject(raw []byte, customs map[schema.GroupVersionKind]*customKind) (messages []string, err error) {
	// The API server would answer with an internal error, and go on.
	defer func() {
		if reason := recover(); reason != nil {
			messages, err = []string{fmt.Sprintf("the API server's own code fails on it: %v", reason)}, nil
		}
	}()
	object := &unstructured.Unstructured{}
	// Whole numbers stay whole: a rule in CEL about an integer fails on a float.
	if err := utiljson.Unmarshal(raw, &object.Object); err != nil {
		return nil, err
	}
	kind := object.GroupVersionKind()
	if custom, ok := customs[kind]; ok {
		return custom.validate(object), nil
	}
	strategy, ok := strategies[kind.GroupKind()]
	if !ok {
		return nil, nil
	}
	decoded, _, err := legacyscheme.Codecs.UniversalDecoder().Decode(raw, nil, nil)
	if err != nil {
		return []string{err.Error()}, nil
	}
	metadata, err := meta.Accessor(decoded)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	if strategy.NamespaceScoped() {
		if metadata.GetNamespace() == "" {
			metadata.SetNamespace(metav1.NamespaceDefault)
		}
		ctx = request.WithNamespace(ctx, metadata.GetNamespace())
	} else {
		metadata.SetNamespace(metav1.NamespaceNone)
	}
	rest.FillObjectMetaSystemFields(metadata)
	// As the storage of Services does before it validates.
	if one, ok := decoded.(*core.Service); ok && one.Spec.ClusterIP != "" && len(one.Spec.ClusterIPs) == 0 {
		one.Spec.ClusterIPs = []string{one.Spec.ClusterIP}
	}
	strategy.PrepareForCreate(ctx, decoded)
	errs := strategy.Validate(ctx, decoded)
	errs = append(errs, validation.ValidateObjectMetaAccessor(
		metadata, strategy.NamespaceScoped(), path.ValidatePathSegmentName, field.NewPath("metadata"))...)
	return said(errs), nil
}

// A kind that a CustomResourceDefinition of the tree defines. One that is wrong is the fault of its objects, and of no others.
type customKind struct {
	wrong      error
	structural *structuralschema.Structural
	schema     schemavalidation.SchemaValidator
	rules      *cel.Validator
}

func customKinds(definitions []json.RawMessage) map[schema.GroupVersionKind]*customKind {
	found := map[schema.GroupVersionKind]*customKind{}
	for _, raw := range definitions {
		var given apiextensionsv1.CustomResourceDefinition
		if err := json.Unmarshal(raw, &given); err != nil {
			continue // its objects are of a kind that nobody defines
		}
		for _, one := range given.Spec.Versions {
			if one.Schema != nil && one.Schema.OpenAPIV3Schema != nil {
				kind := schema.GroupVersionKind{Group: given.Spec.Group, Version: one.Name, Kind: given.Spec.Names.Kind}
				found[kind] = newCustomKind(one.Schema.OpenAPIV3Schema)
			}
		}
	}
	return found
}

func newCustomKind(given *apiextensionsv1.JSONSchemaProps) (kind *customKind) {
	defer func() {
		if reason := recover(); reason != nil {
			kind = &customKind{wrong: fmt.Errorf("the API server's own code fails on it: %v", reason)}
		}
	}()
	props := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(given, props, nil); err != nil {
		return &customKind{wrong: err}
	}
	structural, err := structuralschema.NewStructural(props)
	if err != nil {
		return &customKind{wrong: err}
	}
	validator, _, err := schemavalidation.NewSchemaValidator(props)
	if err != nil {
		return &customKind{wrong: err}
	}
	return &customKind{nil, structural, validator, cel.NewValidator(structural, true, celconfig.PerCallLimit)}
}

func (kind *customKind) validate(object *unstructured.Unstructured) []string {
	if kind.wrong != nil {
		return []string{fmt.Sprintf("its definition should hold a structural schema, but: %s", kind.wrong)}
	}
	structuraldefaulting.Default(object.Object, kind.structural)
	errs := schemavalidation.ValidateCustomResource(nil, object.Object, kind.schema)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, kind.structural, object.Object)...)
	if len(errs) == 0 && kind.rules != nil {
		broken, _ := kind.rules.Validate(
			context.Background(), nil, kind.structural, object.Object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, broken...)
	}
	return said(errs)
}

// What errors say, without values that are printed with their addresses: the same request is answered the same way.
func said(errs field.ErrorList) []string {
	messages := make([]string, 0, len(errs))
	for _, err := range errs {
		switch reflect.ValueOf(err.BadValue).Kind() {
		case reflect.String, reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Invalid:
			messages = append(messages, err.Error())
		default:
			messages = append(messages, fmt.Sprintf("%s: %s: %s", err.Field, err.Type, err.Detail))
		}
	}
	return messages
}
