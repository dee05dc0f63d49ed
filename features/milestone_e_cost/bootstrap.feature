@bootstrap
Feature: A bootstrap can be killed, repeated and undone

  @bootstrap_death
  Scenario Outline: A bootstrap that was killed is completed by the next one
    Given it is known what an undisturbed bootstrap makes
    When a bootstrap from nothing is killed <when>
    And it is started again
    Then the cluster is as an undisturbed bootstrap makes it

    Examples: While the cluster is made
      | when                                         |
      | before it has written the marker             |
      | before it remembers the cluster              |
      | before the cluster is created                |
      | before the network is created                |
      | after the network was created                |
      | after the volume was created                 |
      | after the helper was created                 |
      | before the node is created                   |
      | after the node was created                   |
      | before the node is started                   |
      | after the node was started                   |
      | while the node comes up                      |
      | before a program is run in the node          |
      | before it asks for the kubeconfig            |
      | before it has written the kubeconfig         |
      | before the node unpacks images               |
      | before it remembers that the cluster is made |

    Examples: While the Git server and Argo CD are applied
      | when                                          |
      | before the Git server has its namespace       |
      | before the Git server's password is made      |
      | before the Git server is applied              |
      | before Argo CD has its namespace              |
      | before the password of Redis is made          |
      | before the first of Argo CD's CRDs is applied |
      | before the last of Argo CD's CRDs is applied  |
      | before Argo CD's settings are applied         |
      | before Argo CD's server is applied            |
      | before Argo CD's controller is applied        |

    Examples: While the repository is filled
      | when                                   |
      | before the organisation is made        |
      | before the repository is made          |
      | before Argo CD knows what signs pushes |
      | before the push hook is made           |
      | before the tree is committed           |
      | before the tree is pushed              |
      | before the first project is applied    |
      | before the root Application is applied |
      | before it remembers that all is well   |

  Scenario: A second bootstrap writes nothing and needs no internet
    Given a cluster of its own is bootstrapped, and well
    When it is bootstrapped again, without internet
    Then the bootstrap has ended well within 20 s
    And the API server's audit log has no write of it
    And it has looked up no name, and reached nothing outside this machine

  Scenario: What is somebody else's is left alone
    Given somebody else's container, volume, network and kubeconfig, and in the cluster a namespace
    When the cluster is bootstrapped again
    Then each of them is as it was
    When the cluster is deleted
    Then what was beside it is as it was
